-- Sends dead jobs again, with their tries at 0 and, if they may expire, as much time for that as they first had.
--
-- KEYS[1]     P, the queue's prefix
-- ARGV[1..3]  the sender, the number of this call and those of earlier ones (shared_once.lua)
-- ARGV[4]     without ids: only jobs that died until then, in ms ('' : now)
-- ARGV[5..]   ids (up to 1000); without any, the up to 1000 that have been dead for longest
--
-- Returns {how many, the time used for ARGV[4], 1 if there may be more, else 0}
-- needs: shared_format shared_calls shared_once shared_lists shared_wake
local P = KEYS[1]
make_room(P)
local now = clock()
local before = ARGV[4] ~= '' and tonumber(ARGV[4]) or now
local ids = {}
if #ARGV == 4 then
  ids = redis.call('ZRANGEBYSCORE', P .. 'dead', '-inf', before, 'LIMIT', 0, 1000)
else
  local seen = {}
  for i = 5, #ARGV do
    if not seen[ARGV[i]] and redis.call('ZSCORE', P .. 'dead', ARGV[i]) then
      ids[#ids + 1] = ARGV[i]
      seen[ARGV[i]] = true
    end
  end
end
for _, id in ipairs(ids) do
  local stored = redis.call('HGET', P .. 'jobs', id)
  if stored and #stored < 25 then -- damaged: it would only die again
    redis.call('HDEL', P .. 'jobs', id)
  elseif stored then
    local enqueued, due, expires, priority = struct.unpack('<I8I8I8B', stored)
    local again = struct.pack('<I8I8I8B', enqueued, now, expires > 0 and now + expires - due or 0, priority)
    redis.call('HSET', P .. 'jobs', id, again .. string.sub(stored, 26))
    redis.call('RPUSH', P .. 'ready:' .. priority, id)
  end
end
many('ZREM', P .. 'dead', ids)
many('HDEL', P .. 'dead_outcomes', ids)
many('HDEL', P .. 'tries', ids)
many('HDEL', P .. 'last_tries', ids)
if #ids > 0 then
  wake(P)
end
return answer_once({#ids, before, (#ARGV == 4 and #ids == 1000) and 1 or 0})
