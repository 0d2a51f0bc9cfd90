-- Shared: refuses a queue whose keys were laid out by another quarq (docs/redis_layout.md).
local format = redis.call('GET', KEYS[1] .. 'format')
if format and format ~= '3' then
  return redis.error_reply('ERR the keys ' .. KEYS[1] .. '* have format version ' .. format .. '; this quarq knows version 3: '
    .. (tonumber(format) < 3 and 'end these jobs with the quarq that made them, or delete the keys' or 'use a newer quarq'))
end

