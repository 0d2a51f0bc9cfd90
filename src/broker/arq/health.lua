-- Writes the queue's health record, as arq's workers do now and then.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the record's key
-- ARGV[2]  the record, but for how many jobs the queue holds, which is its end
-- ARGV[3]  for how many ms it lives; longer if the one of a Python worker does that it replaces
--
-- Returns the record.
-- needs: shared_basics shared_python
make_room()
local lives = math.max(tonumber(ARGV[3]), look_for_python(ARGV[1]))
if redis.call('EXISTS', P .. 'python') == 1 then
  lives = math.max(lives, redis.call('PTTL', ARGV[1]))
end
local record = ARGV[2] .. redis.call('ZCARD', Q)
local px = string.format('%.0f', lives)
redis.call('SET', ARGV[1], record, 'PX', px)
redis.call('SET', P .. 'health', record, 'PX', px)
return record
