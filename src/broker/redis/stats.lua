-- The counts of what happened in a queue in some minutes.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the first minute of Unix time
-- ARGV[2]  how many minutes (up to 60)
--
-- Returns for each minute {task, its counts, ...} (shared_minutes.lua).
-- needs: shared_format shared_minutes
return read_minutes(KEYS[1], ARGV[1], tonumber(ARGV[2]))
