-- Shared: arq:abort, where Python's Job.abort() puts ids.

-- The jobs held under this lease that are to be aborted.
local function aborted(token)
  local found = {}
  if redis.call('EXISTS', 'arq:abort') == 1 then
    local ids = redis.call('ZRANGE', 'arq:abort', 0, 4999)
    local held = redis.call('HMGET', P .. 'held:' .. token, unpack(ids))
    for i = 1, #ids do
      if held[i] then
        found[#found + 1] = ids[i]
      end
    end
  end
  return found
end

-- Job.abort() may leave an id in the queue whose job has ended meanwhile (forget() in shared_ends.lua). It is no job. Those that
-- stand at the front are dropped, with their aborts.
local function drop_ghosts()
  local front = redis.call('ZRANGEBYSCORE', Q, '1', '1', 'LIMIT', 0, 100)
  if #front == 0 then
    return
  end
  local holders, ghosts = holders_of(front), {}
  for i, id in ipairs(front) do
    if not holders[i] and redis.call('EXISTS', 'arq:job:' .. id) == 0 then
      ghosts[#ghosts + 1] = id
    end
  end
  many('ZREM', Q, ghosts)
  many('ZREM', 'arq:abort', ghosts)
end

-- Forgets aborts, older than a minute, of jobs that are not there.
local function purge_aborts()
  local old = redis.call('ZRANGEBYSCORE', 'arq:abort', '-inf', moment(now - 60000), 'LIMIT', 0, 1000)
  local stale = {}
  for _, id in ipairs(old) do
    if redis.call('EXISTS', 'arq:job:' .. id) == 0 then
      stale[#stale + 1] = id
    end
  end
  many('ZREM', 'arq:abort', stale)
end

