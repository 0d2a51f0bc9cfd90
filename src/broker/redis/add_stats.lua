-- Adds to the counts of what happened in a queue in this minute.
--
-- KEYS[1]     P, the queue's prefix
-- ARGV[1..3]  the sender, the number of this call and those of earlier ones (shared_once.lua)
-- ARGV[4..]   for each task: its name, and its counts (shared_stats.lua)
--
-- Returns 1.
-- needs: shared_format shared_calls shared_once shared_lists shared_stats
local P = KEYS[1]
local minute = minute_of(clock())
for i = 4, #ARGV, 2 do
  add_counts(P, minute, ARGV[i], cmsgpack.unpack(ARGV[i + 1]))
end
return answer_once(1)
