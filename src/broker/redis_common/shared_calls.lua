-- Shared: calls whose answers are remembered, because they may be sent again. ARGV[2] is the number of this one, ARGV[3]
-- those of earlier ones whose answers have arrived, divided by spaces.

-- Forgets those in the hash `key` whose numbers stand in `text`, divided by spaces.
local function forget_calls(key, text)
  if text == '' then
    return
  end
  local numbers = {}
  for number in string.gmatch(text, '%d+') do
    numbers[#numbers + 1] = number
  end
  for i = 1, #numbers, 1000 do
    redis.call('HDEL', key, unpack(numbers, i, math.min(i + 999, #numbers)))
  end
end

-- The end of a call under a lease, whose calls stand in the hash `settled`. Keeps the answer of one that changed something:
-- only that must be known again, and only then the lease is there, with which it will be forgotten.
local function answer_with(settled, text, changed)
  if changed then
    redis.call('HSET', settled, ARGV[2], text)
  else
    redis.call('HDEL', settled, ARGV[2])
  end
  forget_calls(settled, ARGV[3])
  return text
end

