-- The counts of what happened in a queue in some minutes.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the first minute of Unix time
-- ARGV[2]  how many minutes (up to 60)
--
-- Returns for each minute {task, its counts, ...} (shared_stats.lua).
-- needs: shared_format
local P = KEYS[1]
local found = {}
for i = 1, tonumber(ARGV[2]) do
  found[i] = redis.call('HGETALL', P .. 'stats:' .. string.format('%d', ARGV[1] + i - 1))
end
return found
