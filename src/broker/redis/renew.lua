-- Extends a worker's lease, and takes back the jobs of leases that have run out: periodic work is done here,
-- as each worker calls it every second or two. It costs the same however many queues the worker has: those without a need are
-- not looked at, but for one.
--
-- KEYS[1]  the prefix of one of its queues, another with each call: whether jobs are ready is looked at there
-- ARGV[1]  the lease's token
-- ARGV[2]  its duration, ms
-- ARGV[3]  its worker_info, or '': as it was
-- ARGV[4]  how many leases there are, as the last renewal said: 1 at first
-- ARGV[5]  '1', or '0' if the worker takes no jobs now: another thread renews for its loop, which does not turn
--
-- Returns nil when it is not held; else
--   {1 if jobs are ready in that queue, 2 if they are and it is paused, else 0; now in ms; 1 if that queue is to be swept, else 0;
--    how many leases there are; {the prefix of a queue, id to be cancelled...}...}
-- needs: shared_silence shared_heard
local P, token, duration = KEYS[1], ARGV[1], tonumber(ARGV[2])
local heard = redis.call('HMGET', 'quarq:heard', '', token)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A lease lasts for its duration from when it was heard at least, so that its end has to be looked up only after that, or where
-- the clock was set back.
local own = tonumber(heard[2] or 0)
local has_run_out = own + duration < now or own > now
if has_run_out then
  local until_when = tonumber(redis.call('ZSCORE', leases, token) or 0)
  if until_when == 0 then
    return false
  end
  has_run_out = until_when < now
end

-- After a silence, or when every lease has run out, each gets the time to come back before its jobs are given to others; those
-- that died meanwhile are found a lease later.
local silence = now - (heard[1] or now)
if is_outage(silence, duration)
    or (has_run_out and tonumber(redis.call('ZRANGE', leases, '-1', '-1', 'WITHSCORES')[2]) < now) then
  redis.call('DEL', 'quarq:none') -- make_room in shared_lists.lua
  extend_all(token, now + duration, silence)
end
note_heard(token, now, duration, ARGV[5] == '1')
if ARGV[3] ~= '' then
  redis.call('HSET', 'quarq:cards', token, ARGV[3])
end

-- The reply, as of now.
local function look()
  local R, deferred, cancel = P .. 'ready:', P .. 'deferred', 'quarq:cancel:' .. token
  -- Some worker sweeps each second, whichever it is, rather than each.
  local sweeps = time[2] % ARGV[4] == 0
  local answer = {0, now, sweeps and 1 or 0, redis.call('ZCARD', leases)}
  -- One look at all of it: mostly there is nothing.
  if redis.call('EXISTS', R .. '9', R .. '8', R .. '7', R .. '6', R .. '5', R .. '4', R .. '3', R .. '2', R .. '1', R .. '0',
      deferred, cancel) == 0 then
    return answer
  end
  local ready = redis.call('EXISTS', R .. '9', R .. '8', R .. '7', R .. '6', R .. '5', R .. '4', R .. '3', R .. '2', R .. '1',
    R .. '0') > 0
  if not ready then
    local first = redis.call('ZRANGE', deferred, '0', '0', 'WITHSCORES')
    ready = first[1] and tonumber(first[2]) <= now
  end
  if ready then
    answer[1] = redis.call('EXISTS', P .. 'paused') == 1 and 2 or 1
  end
  for _, queue in ipairs(redis.call('SMEMBERS', cancel)) do
    local ids = redis.call('HKEYS', queue .. 'cancel:' .. token)
    if #ids == 0 then
      redis.call('SREM', cancel, queue)
    else
      table.insert(ids, 1, queue)
      answer[#answer + 1] = ids
    end
  end
  return answer
end

-- Twenty looks a second for lost leases are enough, whoever takes them.
if time[2] % math.max(1, math.floor(ARGV[4] / 20)) ~= 0 then
  return look()
end
local left = 100
local all_lost = redis.call('ZRANGEBYSCORE', leases, '-inf', string.format('(%d', now), 'LIMIT', '0', '100')
if #all_lost == 0 then
  return look()
end

-- needs: shared_lists shared_wake shared_tell shared_ends shared_give_back shared_leases shared_stats
-- Gives the jobs of lost leases back: those of up to 100 queues of leases in a call. The next call does the rest.
for _, lost in ipairs(all_lost) do
  local queues = queues_of(lost)
  while #queues > 0 and left > 0 do
    local Q = table.remove(queues)
    local _, count = give_back(Q, lost, nil, true)
    count_lost(Q, now, count)
    leave(Q, lost)
    left = left - 1
  end
  if #queues > 0 then
    redis.call('ZADD', leases, 0, lost)
    redis.call('HSET', 'quarq:served', lost, cmsgpack.pack(queues))
    break
  end
  end_lease(lost)
end
return look()
