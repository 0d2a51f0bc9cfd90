-- Keeps what held jobs say of themselves, each in place of what it has said before: P..'note:'..id.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the lease's token
-- ARGV[2]   for how many ms
-- ARGV[3..] for each job: id, text. Those that are not held under the lease are left out
--
-- Returns 1.
-- needs: shared_format
local P, token = KEYS[1], ARGV[1]
for i = 3, #ARGV, 2 do
  if redis.call('SISMEMBER', P .. 'running:' .. token, ARGV[i]) == 1 then
    redis.call('SET', P .. 'note:' .. ARGV[i], ARGV[i + 1], 'PX', ARGV[2])
  end
end
return 1
