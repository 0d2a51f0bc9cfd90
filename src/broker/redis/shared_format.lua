-- Shared: refuses a queue whose keys were laid out by a newer quarq (docs/redis_layout.md).
local format = redis.call('GET', KEYS[1] .. 'format')
if format and format ~= '1' then
  return redis.error_reply('ERR the keys ' .. KEYS[1] .. '* have format version ' .. format
    .. '; this quarq knows version 1: use a newer quarq')
end

