-- Takes ready jobs, oldest first.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the lease's token
-- ARGV[2]  how many at most (up to 1000)
-- ARGV[3]  the lease's duration, ms
-- ARGV[4]  a job that was lost so often has not begun until its worker says so (settle.lua); or '': each has
--
-- Returns nil when the lease is not held; else
--   {now in ms, ms until the next deferred job is due or -1, {id...}, {payload; its size, if it is larger than
--    max_shared_payload: it is to be read by itself; or nil: it is gone...}, {starts, this one included...}, {score...}, {score at
--    which it was due first, or nil: this one...}, {when it was aborted, or nil...}, 1 if there may be more or 2 if the queue is
--    paused, {how often it was lost with its worker, or nil...}, {the outcome record of its last try, or nil...}}
-- where the last two, and the two before the one before them, are empty when that is so of none. With fewer than ARGV[2] the lease is
-- noted as idle, it will be woken; unless there may be more: of large payloads it takes fewer at once.
-- needs: shared_basics shared_wake shared_tell shared_ends shared_silence shared_stats shared_held shared_python shared_ready shared_aborts
local token, most, duration = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if not redis.call('ZSCORE', P .. 'leases', token) then
  return false
end
make_room()
take_back_lost(token, duration)
drop_ghosts()
if redis.call('EXISTS', P .. 'paused') == 1 then
  redis.call('ZADD', P .. 'paused', moment(now), token)
  return {math.floor(now), -1, {}, {}, {}, {}, {}, {}, 2, {}, {}}
end

-- Python's workers leave the jobs that they run where they were, before those that are ready: these are passed over.
local protected = protected_ms(duration)
local until_when, upto = moment(now + protected), moment(now)
local ids, scores, later = {}, {}, {}
local python_runs = false
local got, first, size = 0, 0, most
while got < most do
  local page = redis.call('ZRANGEBYSCORE', Q, '-inf', upto, 'WITHSCORES', 'LIMIT', first, size)
  local count = #page / 2
  if count == 0 then
    break
  end
  local found = {}
  for i = 1, count do
    found[i] = page[2 * i - 1]
  end
  local holders = reserved_for(found)
  for i = 1, count do
    local id, score = found[i], page[2 * i]
    python_runs = python_runs or holders[i] == '1'
    if holders[i] == token then -- Job.abort() has moved it to the front
      later[#later + 1], later[#later + 2] = until_when, id
    elseif not holders[i] and score == '1' and redis.call('EXISTS', 'arq:job:' .. id) == 1 and
        not redis.call('ZSCORE', 'arq:abort', id) then
      -- Job.abort() moves a deferred job to score 1, and only then, by another command, says that it is to be aborted. It has
      -- a second for that; if it does not come (its client died) the job runs.
      later[#later + 1], later[#later + 2] = moment(now + 1000), id
    elseif not holders[i] and got < most then
      got = got + 1
      ids[got], scores[got] = id, score
    end
  end
  if count < size then
    break
  end
  first, size = first + size, 1000
end

-- Their payloads, a few at a time, as they may be large. Of one that is gone either the time was over, or it is no job: it has
-- ended before Job.abort() moved it.
local more, bytes, step, looked_at = got == most, 0, 16, 0
local taken, came_from, payloads, ghosts = {}, {}, {}, {}
while looked_at < got and bytes < max_reply do
  local page = values('arq:job:', ids, looked_at + 1, math.min(looked_at + step, got))
  for i, payload in ipairs(page) do
    local id, score = ids[looked_at + i], scores[looked_at + i]
    if not payload and (score == '1' or redis.call('EXISTS', 'arq:result:' .. id) == 1) then
      ghosts[#ghosts + 1] = id
    elseif bytes < max_reply then
      local size = payload and #payload or 0
      taken[#taken + 1], came_from[#taken + 1] = id, score
      payloads[#payloads + 1] = size > max_shared_payload and size or payload
      bytes = bytes + (size > max_shared_payload and 0 or size)
    else
      more = true
    end
  end
  looked_at = looked_at + #page
  step = math.min(2 * step, 256)
end
more = more or looked_at < got
many('ZREM', Q, ghosts)
many('ZREM', 'arq:abort', ghosts)

local starts, first_due, abort_times, losses, last_tries = {}, {}, {}, {}, {}
got = #taken
if got > 0 then
  starts = values('arq:retry:', taken)
  local held = {}
  local px = string.format('%d', protected)
  local call, n = redis.call, #later
  for i = 1, got do
    local id, start = taken[i], '1'
    if starts[i] then
      start = string.format('%d', (tonumber(starts[i]) or 0) + 1)
    end
    starts[i] = start
    call('SET', 'arq:in-progress:' .. id, token, 'PX', px)
    call('SET', 'arq:retry:' .. id, start, 'EX', '88400')
    held[2 * i - 1], held[2 * i] = id, came_from[i] .. ' ' .. start
    later[n + 2 * i - 1], later[n + 2 * i] = until_when, id
  end
  redis.call('HSET', P .. 'held:' .. token, unpack(held))
  if redis.call('EXISTS', P .. 'first_due', P .. 'losses') > 0 then
    first_due = redis.call('HMGET', P .. 'first_due', unpack(taken))
    losses = redis.call('HMGET', P .. 'losses', unpack(taken))
    last_tries = redis.call('HMGET', P .. 'last_tries', unpack(taken))
  end
  if ARGV[4] == '0' or (ARGV[4] ~= '' and #losses > 0) then
    local unstarted, least = {}, tonumber(ARGV[4])
    for i = 1, got do
      if tonumber(losses[i] or 0) >= least then
        unstarted[#unstarted + 1] = taken[i]
      end
    end
    many('SADD', P .. 'unstarted:' .. token, unstarted)
  end
  if redis.call('EXISTS', 'arq:abort') == 1 then
    abort_times = redis.call('ZMSCORE', 'arq:abort', unpack(taken))
    many('ZREM', 'arq:abort', taken)
  end
end
if python_runs then
  note_python(0)
end
for i = 1, #later, 2000 do
  redis.call('ZADD', Q, 'XX', unpack(later, i, math.min(i + 1999, #later)))
end

local due
if not more then
  due = next_due()
  -- One idle lease that claims at the next due time is enough; the others stay first in line for jobs that come before.
  local at = 2 ^ 53 - math.floor(now)
  if due then
    local soonest = redis.call('ZRANGE', P .. 'idle', 0, 0, 'WITHSCORES')
    if not soonest[1] or soonest[1] == token or tonumber(soonest[2]) > due then
      at = math.floor(due)
    end
  end
  redis.call('ZADD', P .. 'idle', string.format('%.0f', at), token)
else
  redis.call('ZREM', P .. 'idle', token)
  if redis.call('EXISTS', P .. 'idle') == 1 and has_ready() then
    wake(P)
  end
end
return {math.floor(now), due and math.max(0, math.ceil(due - now)) or -1, taken, payloads, starts, came_from, first_due, abort_times,
  more and 1 or 0, losses, last_tries}
