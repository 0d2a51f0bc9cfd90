-- Opens a lease; or extends it, takes the jobs of leases that have run out back, and tidies up results whose time is
-- over: all that must happen now and then happens here, as workers call it about once a second.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the lease's token
-- ARGV[2]  its duration, ms
-- ARGV[3]  its card
-- ARGV[4]  '1' to open it; '0' to extend it, if it is there
--
-- Returns nil when it is not held; else {1 if jobs are ready, else 0; id to be cancelled...}
-- needs: shared_format shared_lists shared_wake shared_tell shared_ends shared_give_back
local P, token, duration = KEYS[1], ARGV[1], tonumber(ARGV[2])
local leases = P .. 'leases'
if ARGV[4] == '0' and not redis.call('ZSCORE', leases, token) then
  return false
end
local now = clock()

if ARGV[4] == '1' then
  if not format then
    redis.call('SET', P .. 'format', '1')
  end
else
  -- When every lease has run out, this one too, nobody could renew: the server or the network was down. Each gets the
  -- time to come back before its jobs are given to others. (A worker that opens a lease where all others have run out
  -- is no sign of that: they may have died with nobody there.)
  local last = redis.call('ZRANGE', leases, -1, -1, 'WITHSCORES')
  if tonumber(last[2]) < now then
    for _, each in ipairs(redis.call('ZRANGE', leases, 0, -1)) do
      redis.call('ZADD', leases, now + duration, each)
    end
  end
end
redis.call('ZADD', leases, now + duration, token)
redis.call('HSET', P .. 'cards', token, ARGV[3])
if ARGV[4] == '1' then
  return {0}
end

local given = 0
for _, lost in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now - 1, 'LIMIT', 0, 100)) do
  given = given + give_back(P, lost, nil, true)
  redis.call('ZREM', leases, lost)
  redis.call('ZREM', P .. 'idle', lost)
  redis.call('HDEL', P .. 'takers', lost)
  redis.call('HDEL', P .. 'cards', lost)
  redis.call('DEL', P .. 'settled:' .. lost)
end
if given > 0 then
  wake(P)
end

local over = redis.call('ZRANGEBYSCORE', P .. 'results_until', '-inf', now, 'LIMIT', 0, 2000)
if #over > 0 then
  redis.call('HDEL', P .. 'results', unpack(over))
  redis.call('ZREM', P .. 'results_until', unpack(over))
end

local ready = redis.call('EXISTS', ready_lists(P)) > 0
if not ready then
  local first = redis.call('ZRANGE', P .. 'deferred', 0, 0, 'WITHSCORES')
  ready = first[1] and tonumber(first[2]) <= now
end
local answer = redis.call('HKEYS', P .. 'cancel:' .. token)
table.insert(answer, 1, ready and 1 or 0)
return answer
