-- Takes ready jobs, oldest first.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the lease's token
-- ARGV[2]  how many at most (up to 1000)
-- ARGV[3]  the lease's duration, ms
--
-- Returns nil when the lease is not held; else
--   {now in ms, ms until the next deferred job is due or -1, {id...}, {payload, or nil: it is gone...}, {starts, this one
--    included...}, {score...}, {score at which it was due first, or nil: this one...}, {when it was aborted, or nil...}, 1 if
--    there may be more}
-- where the two before the last are empty when that is so of none. With fewer than ARGV[2] the lease is noted as idle, it will
-- be woken; unless there may be more: of large payloads it takes fewer at once, as the server closes connections to which
-- too much is on its way.
-- needs: shared_basics shared_wake shared_tell shared_ends shared_held shared_ready
local token, most, duration = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if not redis.call('ZSCORE', P .. 'leases', token) then
  return false
end
take_back_lost(token, duration)

-- Python's workers leave the jobs that they run where they were, before those that are ready: these are passed over.
local protected = protected_ms(duration)
local until_when, upto = moment(now + protected), moment(now)
local ids, scores, names, later = {}, {}, {}, {}
local got, first, size = 0, 0, most
while got < most do
  local page = redis.call('ZRANGEBYSCORE', Q, '-inf', upto, 'WITHSCORES', 'LIMIT', first, size)
  local count = #page / 2
  if count == 0 then
    break
  end
  local theirs = {}
  for i = 1, count do
    theirs[i] = 'arq:in-progress:' .. page[2 * i - 1]
  end
  local holders = redis.call('MGET', unpack(theirs))
  for i = 1, count do
    local id, score = page[2 * i - 1], page[2 * i]
    if holders[i] == token then -- Job.abort() has moved it to the front
      later[#later + 1], later[#later + 2] = until_when, id
    elseif not holders[i] and score == '1' and not redis.call('ZSCORE', 'arq:abort', id) then
      -- Job.abort() moves a deferred job to score 1, and only then, by another command, says that it is to be aborted. It has
      -- a second for that; if it does not come (its client died) the job runs.
      later[#later + 1], later[#later + 2] = moment(now + 1000), id
    elseif not holders[i] and got < most then
      got = got + 1
      ids[got], scores[got], names[got] = id, score, theirs[i]
    end
  end
  if count < size then
    break
  end
  first, size = first + size, 1000
end

local more = got == most
local payloads, starts, first_due, abort_times = {}, {}, {}, {}
if got > 0 then
  payloads = values('arq:job:', ids)
  local bytes = 0
  for i = 1, got do
    bytes = bytes + (payloads[i] and #payloads[i] or 0)
    if bytes > 8000000 and i > 1 then
      for k = got, i, -1 do
        ids[k], payloads[k] = nil, nil
      end
      got, more = i - 1, true
      break
    end
  end
  starts = values('arq:retry:', ids)
  local held = {}
  local px = string.format('%d', protected)
  local call, n = redis.call, #later
  for i = 1, got do
    local id, start = ids[i], '1'
    if starts[i] then
      start = string.format('%d', (tonumber(starts[i]) or 0) + 1)
    end
    starts[i] = start
    call('SET', names[i], token, 'PX', px)
    call('SET', 'arq:retry:' .. id, start, 'EX', '88400')
    held[2 * i - 1], held[2 * i] = id, scores[i] .. ' ' .. start
    later[n + 2 * i - 1], later[n + 2 * i] = until_when, id
  end
  redis.call('HSET', P .. 'held:' .. token, unpack(held))
  if redis.call('EXISTS', P .. 'first_due') == 1 then
    first_due = redis.call('HMGET', P .. 'first_due', unpack(ids))
  end
  if redis.call('EXISTS', 'arq:abort') == 1 then
    abort_times = redis.call('ZMSCORE', 'arq:abort', unpack(ids))
    many('ZREM', 'arq:abort', ids)
  end
end
for i = 1, #later, 2000 do
  redis.call('ZADD', Q, 'XX', unpack(later, i, math.min(i + 1999, #later)))
end

local due
if not more then
  due = next_due()
  -- One idle lease that claims at the next due time is enough; the others stay first in line for what comes before.
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
return {math.floor(now), due and math.max(0, math.ceil(due - now)) or -1, ids, payloads, starts, scores, first_due, abort_times,
  more and 1 or 0}
