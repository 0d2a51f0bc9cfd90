-- Shared: refuses queues whose keys were laid out by another quarq (docs/redis_layout.md).
local known_format = '4'
local format = true
for _, P in ipairs(KEYS) do
  local its = redis.call('GET', P .. 'format')
  if its and its ~= known_format then
    return redis.error_reply('ERR the keys ' .. P .. '* have format version ' .. its .. '; this quarq knows version ' .. known_format
      .. ': ' .. ((tonumber(its) or 9) < tonumber(known_format) and 'end these jobs with the quarq that made them, or delete the keys'
      or 'use a newer quarq'))
  end
  format = format and its
end

