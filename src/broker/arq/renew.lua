-- Opens a lease; or extends it, takes the jobs of leases that have run out back, and forgets stale aborts: all that must
-- happen now and then happens here, as workers call it about once a second.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the lease's token
-- ARGV[2]  its duration, ms
-- ARGV[3]  its card
-- ARGV[4]  '1' to open it; '0' to extend it, if it is there
--
-- Returns nil when it is not held; else {1 if jobs are ready, else 0; id to be cancelled...}
-- needs: shared_basics shared_wake shared_tell shared_ends shared_held shared_ready shared_aborts
local token, duration = ARGV[1], tonumber(ARGV[2])
local leases = P .. 'leases'
if ARGV[4] == '1' then
  redis.call('ZADD', leases, moment(now + duration), token)
  redis.call('HSET', P .. 'cards', token, ARGV[3])
  redis.call('HSET', P .. 'extended', token, moment(now))
  return {0}
end
if not redis.call('ZSCORE', leases, token) then
  return false
end
take_back_lost(token, duration)
redis.call('ZADD', leases, moment(now + duration), token)
redis.call('HSET', P .. 'cards', token, ARGV[3])
-- Often enough that what is protected for longer than the lease stays so.
local extended = tonumber(redis.call('HGET', P .. 'extended', token) or 0)
if now - extended >= duration / 3 then
  extend(token, duration)
end
purge_aborts()
local answer = {has_ready() and 1 or 0}
for _, id in ipairs(redis.call('HKEYS', P .. 'cancel:' .. token)) do
  answer[#answer + 1] = id
end
for _, id in ipairs(aborted(token)) do
  answer[#answer + 1] = id
end
return answer
