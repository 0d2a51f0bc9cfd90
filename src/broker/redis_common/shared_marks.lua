-- Shared: short texts that operators have set for a queue, which the store does not read: the hash P..'marks', name -> text.

-- Returns 1 if that changed anything, else 0. An empty text removes it.
local function set_mark(P, name, text)
  local key = P .. 'marks'
  if (redis.call('HGET', key, name) or '') == text then
    return 0
  end
  if text == '' then
    redis.call('HDEL', key, name)
  else
    redis.call('HSET', key, name, text)
  end
  return 1
end
