-- Takes ready jobs, highest priority first, then oldest first. Deferred jobs that have become due are made ready before.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the lease's token
-- ARGV[2]  how many at most (up to 1000)
-- ARGV[3]  '1' if the lease takes jobs that it did not ask for while it is idle (enqueue.lua)
--
-- Returns nil when the lease is not held; else
--   {now in ms, ms until the next deferred job is due or -1, {id...}, {header and record...}, {tries before this one...}}
-- where the last is empty when no job of this queue was ever tried before.
-- With fewer than ARGV[2] the lease is noted as idle: it will be woken.
-- needs: shared_lists shared_wake
local P, token, most = KEYS[1], ARGV[1], tonumber(ARGV[2])
if not redis.call('ZSCORE', P .. 'leases', token) then
  return false
end
local now = clock()

local next_due
local first = redis.call('ZRANGE', P .. 'deferred', 0, 0, 'WITHSCORES')
if first[1] then
  next_due = tonumber(first[2])
  if next_due <= now then
    local due = redis.call('ZRANGEBYSCORE', P .. 'deferred', '-inf', now, 'LIMIT', 0, 1000)
    local lists = {}
    for _, entry in ipairs(due) do
      local priority = string.sub(entry, 1, 1)
      local list = lists[priority] or {}
      lists[priority] = list
      list[#list + 1] = string.sub(entry, 2)
    end
    for priority, list in pairs(lists) do
      redis.call('RPUSH', P .. 'ready:' .. priority, unpack(list))
    end
    redis.call('ZREM', P .. 'deferred', unpack(due))
    first = redis.call('ZRANGE', P .. 'deferred', 0, 0, 'WITHSCORES')
    next_due = first[1] and tonumber(first[2])
  end
end

local ids, got = {}, 0
local filled = redis.call('EXISTS', ready_lists(P))
for priority = 9, 0, -1 do
  if filled == 0 or got == most then
    break
  end
  local popped = redis.call('LPOP', P .. 'ready:' .. priority, most - got)
  if popped then
    filled = filled - 1
    if got == 0 then
      ids = popped
    else
      for i = 1, #popped do
        ids[got + i] = popped[i]
      end
    end
    got = #ids
  end
end

local records, tried = {}, {}
if got > 0 then
  records = redis.call('HMGET', P .. 'jobs', unpack(ids))
  if redis.call('EXISTS', P .. 'tries') == 1 then
    tried = redis.call('HMGET', P .. 'tries', unpack(ids))
  end
  redis.call('SADD', P .. 'running:' .. token, unpack(ids))
  for i = got, 1, -1 do
    if not records[i] then -- somebody else's hands were here: without its record a job can't be run
      redis.call('SREM', P .. 'running:' .. token, table.remove(ids, i))
      table.remove(records, i)
      table.remove(tried, i)
    end
  end
end

if got < most then
  -- One idle lease that claims at the next due time is enough; the others stay first in line for what comes before.
  local at = 2 ^ 53 - now
  if next_due then
    local soonest = redis.call('ZRANGE', P .. 'idle', 0, 0, 'WITHSCORES')
    if not soonest[1] or soonest[1] == token or tonumber(soonest[2]) > next_due then
      at = next_due
    end
  end
  redis.call('ZADD', P .. 'idle', at, token)
  if ARGV[3] == '1' then
    redis.call('HSET', P .. 'takers', token, most)
  end
else
  redis.call('ZREM', P .. 'idle', token)
  if redis.call('EXISTS', ready_lists(P)) > 0 then
    wake(P)
  elseif next_due then
    wake_for(P, next_due)
  end
end
return {now, next_due and math.max(0, next_due - now) or -1, ids, records, tried}
