-- Sends dead jobs again, with their tries at 0 and, if they may expire, as much time for that as they first had.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   without ids: only those that died until then, in ms ('' : now)
-- ARGV[2..] ids (up to 1000); without any, the up to 1000 that have been dead for longest
--
-- Returns {how many, the time used for ARGV[1], 1 if there may be more, else 0}
-- needs: shared_format shared_lists shared_wake
local P = KEYS[1]
local now = clock()
local before = ARGV[1] ~= '' and ARGV[1] or now
local ids = {}
if #ARGV == 1 then
  ids = redis.call('ZRANGEBYSCORE', P .. 'dead', '-inf', before, 'LIMIT', 0, 1000)
else
  local seen = {}
  for i = 2, #ARGV do
    if not seen[ARGV[i]] and redis.call('ZSCORE', P .. 'dead', ARGV[i]) then
      ids[#ids + 1] = ARGV[i]
      seen[ARGV[i]] = true
    end
  end
end
for _, id in ipairs(ids) do
  local stored = redis.call('HGET', P .. 'jobs', id)
  if stored then
    local enqueued, due, expires, priority = struct.unpack('<I8I8I8B', stored)
    local again = struct.pack('<I8I8I8B', enqueued, now, expires > 0 and now + expires - due or 0, priority)
    redis.call('HSET', P .. 'jobs', id, again .. string.sub(stored, 26))
    redis.call('RPUSH', P .. 'ready:' .. priority, id)
  end
end
many('ZREM', P .. 'dead', ids)
many('HDEL', P .. 'dead_outcomes', ids)
many('HDEL', P .. 'tries', ids)
if #ids > 0 then
  wake(P)
end
return {#ids, before, (#ARGV == 1 and #ids == 1000) and 1 or 0}
