-- Shared: calls whose answers are remembered, because they may be sent again.

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

