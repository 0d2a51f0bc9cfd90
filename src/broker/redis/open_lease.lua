-- Opens a worker's lease over all its queues.
--
-- KEYS[1..] the prefixes of the queues
-- ARGV[1]   the lease's token
-- ARGV[2]   its duration, ms
-- ARGV[3]   its worker_info
-- ARGV[4]   its announcement: the tasks that it handles
--
-- Returns now in ms.
-- needs: shared_format shared_lists shared_wake shared_silence shared_heard shared_leases
local token, duration = ARGV[1], tonumber(ARGV[2])
make_room('quarq:')
local now = clock()
for _, P in ipairs(KEYS) do
  redis.call('SETNX', P .. 'format', known_format)
  redis.call('ZADD', P .. 'leases', now, token)
end
-- Less than by a renewal (renew.lua).
local silence = silence_until(now)
if is_outage(silence, duration) then
  extend_all(token, now + grace_of(duration), silence)
end
note_heard(token, now, duration, true)
redis.call('HSET', 'quarq:cards', token, ARGV[3])
redis.call('HSET', 'quarq:tasks', token, ARGV[4])
redis.call('HSET', 'quarq:served', token, cmsgpack.pack(KEYS))
return now
