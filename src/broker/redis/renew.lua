-- Opens a lease; or extends it, and takes the jobs of leases that have run out back: what must happen now and then happens
-- here, as workers call it about once a second.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the lease's token
-- ARGV[2]  its duration, ms
-- ARGV[3]  its card
-- ARGV[4]  '1' to open it; '0' to extend it, if it is there
--
-- Returns nil when it is not held; else {1 if jobs are ready, else 0; now in ms; id to be cancelled...}
-- needs: shared_format shared_lists shared_wake shared_tell shared_ends shared_give_back
local P, token, duration, opens = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[4] == '1'
local leases = P .. 'leases'
if not opens and not redis.call('ZSCORE', leases, token) then
  return false
end
make_room(P)
local now = clock()

-- Gives each lease until `at` at least.
local function extend_all(at)
  for _, each in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', at)) do
    redis.call('ZADD', leases, at, each)
  end
end

-- Workers renew at least once a second. When nobody was heard for longer than a moment, nobody could renew: the server or the
-- network stood still. Then each gets the time to come back before its jobs are given to others; those that died meanwhile
-- are found a lease later. A worker that opens a lease after a silence says less: the others may have died long ago. They
-- get a moment. Workers with short leases renew them more often, so that for them half a lease is such a silence.
local moment = math.max(500, math.min(2500, math.floor(duration / 2)))
local last_heard = redis.call('GET', P .. 'beat')
local was_silent = last_heard and now - last_heard > moment
if opens then
  if not format then
    redis.call('SET', P .. 'format', '3')
  end
  if was_silent then
    extend_all(now + moment)
  end
else
  local last = redis.call('ZRANGE', leases, -1, -1, 'WITHSCORES')
  if was_silent or tonumber(last[2]) < now then
    extend_all(now + duration)
  end
end
redis.call('SET', P .. 'beat', string.format('%.0f', now), 'PX', math.max(60000, 2 * duration))
redis.call('ZADD', leases, now + duration, token)
redis.call('HSET', P .. 'heard', token, string.format('%.0f', now))
redis.call('HSET', P .. 'cards', token, ARGV[3])
if opens then
  return {0, now}
end

local given = 0
for _, lost in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now - 1, 'LIMIT', 0, 100)) do
  given = given + give_back(P, lost, nil, true)
  end_lease(P, lost)
end
if given > 0 then
  wake(P)
end

local ready = redis.call('EXISTS', ready_lists(P)) > 0
if not ready then
  local first = redis.call('ZRANGE', P .. 'deferred', 0, 0, 'WITHSCORES')
  ready = first[1] and tonumber(first[2]) <= now
end
local answer = redis.call('HKEYS', P .. 'cancel:' .. token)
table.insert(answer, 1, ready and 1 or 0)
table.insert(answer, 2, now)
return answer
