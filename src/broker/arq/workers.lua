-- The live leases, and a Python worker's health record.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the key of the queue's health record
--
-- Returns {nil or {the health record, for how many ms it lives}, {{token, worker_info, how many of the queue's jobs it holds, for how many
-- ms it is held, what it handles}...}, python}. The health record is shared by all workers of a queue: where quarq's write it, it says
-- nothing new. 1 at the end where workers of Python's may serve the queue, else 0.
-- needs: shared_basics shared_live
local each = {}
for _, live in ipairs(live_leases(P, all_leases, now)) do
  local token, left = live[1], live[2]
  each[#each + 1] = {token, redis.call('HGET', 'arq:quarq:cards', token) or '', redis.call('HLEN', P .. 'held:' .. token), left,
    redis.call('HGET', 'arq:quarq:tasks', token) or ''}
end
local health = redis.call('EXISTS', P .. 'leases') == 0 and redis.call('GET', ARGV[1])
local python = redis.call('EXISTS', P .. 'python') == 1
  or redis.call('GET', ARGV[1]) ~= redis.call('GET', P .. 'health')
return {health and {health, redis.call('PTTL', ARGV[1])}, each, python and 1 or 0}
