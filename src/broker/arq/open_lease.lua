-- Opens a worker's lease over all its queues.
--
-- KEYS[1..] the prefixes of the queues
-- ARGV[1]   the lease's token
-- ARGV[2]   its duration, ms
-- ARGV[3]   its worker_info
-- ARGV[4]   its announcement: the tasks that it handles
-- needs: shared_basics shared_wake shared_tell shared_ends shared_silence shared_stats shared_held
local token, duration = ARGV[1], tonumber(ARGV[2])
make_room()
take_back_lost(token, duration)
redis.call('SET', 'arq:quarq:last_heard', moment(now))
redis.call('ZADD', all_leases, moment(now + duration), token)
redis.call('HSET', 'arq:quarq:cards', token, ARGV[3])
redis.call('HSET', 'arq:quarq:tasks', token, ARGV[4])
redis.call('HSET', 'arq:quarq:extended', token, moment(now))
redis.call('HSET', 'arq:quarq:served', token, cmsgpack.pack(KEYS))
for _, prefix in ipairs(KEYS) do
  redis.call('ZADD', prefix .. 'leases', moment(now), token)
end
