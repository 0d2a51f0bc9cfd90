-- Raises the number of starts of held jobs, as their payloads say (arq's _job_try).
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the lease's token
-- ARGV[2..] for each job: id, number of starts
-- needs: shared_basics
make_room()
local held = P .. 'held:' .. ARGV[1]
for i = 2, #ARGV, 2 do
  local id, starts = ARGV[i], ARGV[i + 1]
  local kept = redis.call('HGET', held, id)
  if kept and redis.call('GET', 'arq:in-progress:' .. id) == ARGV[1] then
    redis.call('SET', 'arq:retry:' .. id, starts, 'EX', '88400')
    redis.call('HSET', held, id, string.match(kept, '^%S+') .. ' ' .. starts)
  end
end
return 1
