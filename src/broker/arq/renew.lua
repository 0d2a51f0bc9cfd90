-- Opens a lease; or extends it, takes the jobs of leases that have run out back, and forgets stale aborts and old dead jobs: all
-- that must happen now and then happens here, as workers call it about once a second.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the lease's token
-- ARGV[2]  its duration, ms
-- ARGV[3]  its card
-- ARGV[4]  '1' to open it; '0' to extend it, if it is there
-- ARGV[5]  the key of the queue's health record
-- ARGV[6]  how many dead jobs are kept at most, and
-- ARGV[7]  for how many ms
--
-- Returns nil when it is not held; else {1 if jobs are ready, else 0; how many dead jobs were forgotten; id to be cancelled...}
-- needs: shared_basics shared_wake shared_tell shared_ends shared_held shared_python shared_ready shared_aborts
local token, duration = ARGV[1], tonumber(ARGV[2])
local leases = P .. 'leases'
make_room()
local opened = ARGV[4] == '1'
if not opened and not redis.call('ZSCORE', leases, token) then
  return false
end
take_back_lost(token, duration)
redis.call('SET', P .. 'last_heard', moment(now))
redis.call('ZADD', leases, moment(now + duration), token)
redis.call('HSET', P .. 'cards', token, ARGV[3])
if opened then
  redis.call('HSET', P .. 'extended', token, moment(now))
  return {0, 0}
end
-- Often enough that what is protected for longer than the lease stays so.
local extended = tonumber(redis.call('HGET', P .. 'extended', token) or 0)
if now - extended >= duration / 3 or extended > now then
  extend(token, duration)
end
look_for_python(ARGV[5])
drop_ghosts()
purge_aborts()
local answer = {has_ready() and 1 or 0, limit_dead(tonumber(ARGV[6]), tonumber(ARGV[7]))}
for _, id in ipairs(redis.call('HKEYS', P .. 'cancel:' .. token)) do
  answer[#answer + 1] = id
end
for _, id in ipairs(aborted(token)) do
  answer[#answer + 1] = id
end
return answer
