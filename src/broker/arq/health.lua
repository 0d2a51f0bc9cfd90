-- Writes the health records of some queues, as arq's workers do now and then.
--
-- KEYS[1..] the prefixes of the queues
-- ARGV[1]   for how many ms a record lives; longer if the one of a Python worker does that it replaces
-- ARGV[2..] for each queue: the record's key; the record, but for how many jobs the queue holds, which is its end
--
-- Returns the records.
-- needs: shared_basics shared_python
make_room()
local records = {}
for i, prefix in ipairs(KEYS) do
  turn_to(prefix)
  local key = ARGV[2 * i]
  local lives = math.max(tonumber(ARGV[1]), look_for_python(key))
  if redis.call('EXISTS', P .. 'python') == 1 then
    lives = math.max(lives, redis.call('PTTL', key))
  end
  local record = ARGV[2 * i + 1] .. redis.call('ZCARD', Q)
  local px = string.format('%.0f', lives)
  redis.call('SET', key, record, 'PX', px)
  redis.call('SET', P .. 'health', record, 'PX', px)
  records[i] = record
end
return records
