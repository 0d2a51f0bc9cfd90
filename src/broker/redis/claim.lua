-- Takes ready jobs, highest priority first, then oldest first. Deferred jobs that have become due are made ready before.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the lease's token
-- ARGV[2]  how many at most (up to 1000)
-- ARGV[3]  '1' if the lease takes jobs that it did not ask for while it is idle (enqueue.lua)
-- ARGV[4]  a job that was lost so often has not begun until its worker says so (settle.lua); or '': each has
--
-- Returns nil when the lease is not held; else
--   {now in ms, ms until the next deferred job is due or -1, {id...}, {header and record...}, {tries before this one...},
--    1 if there may be more at once, because the reply would have become too long; 2 if the queue is paused; else 0,
--    {number in the list of a job that failed before, outcome of its last try, ...}}
-- where the tries are empty when no job of this queue was ever tried before. A record larger than max_shared_payload is 0
-- instead: it is read by itself. With fewer than ARGV[2] and no more at once, the lease is noted as idle: it will be woken. Where
-- the queue is paused, it is noted there (pause.lua).
-- needs: shared_lists shared_wake
local P, token, most = KEYS[1], ARGV[1], tonumber(ARGV[2])
if not redis.call('ZSCORE', P .. 'leases', token) then
  return false
end
make_room(P)
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

local ids, records, tried, last_tries = {}, {}, {}, {}
local got, bytes, looked = 0, 0, 0
local step = 8 -- so many are looked at together; more of them while they are small
local enough = false
-- Both together, as nearly always there is neither.
local any_cancelled = redis.call('EXISTS', P .. 'cancelled', P .. 'paused') > 0
if any_cancelled and redis.call('EXISTS', P .. 'paused') == 1 then
  redis.call('ZADD', P .. 'paused', now, token)
  return {now, -1, {}, {}, {}, 2, {}}
end

-- Takes jobs from one list until there are enough of them.
local function take_from(list, priority)
  while not enough do
    local wanted = math.min(step, most - got)
    local popped = redis.call('LPOP', list, wanted)
    if not popped then
      return
    end
    local count = #popped
    looked = looked + count
    if any_cancelled then
      popped = without_cancelled(P, popped, priority)
    end
    local stored = #popped > 0 and redis.call('HMGET', P .. 'jobs', unpack(popped)) or {}
    for i = 1, #popped do
      if enough then
        local rest = {} -- pushed one by one to the front: the first must come last
        for k = #popped, i, -1 do
          rest[#rest + 1] = popped[k]
        end
        redis.call('LPUSH', list, unpack(rest))
        return
      end
      local record = stored[i]
      if record then -- without its record, after somebody else's hands were here, a job can't be run
        got = got + 1
        bytes = bytes + #record
        ids[got], records[got] = popped[i], #record > max_shared_payload and 0 or record
        enough = got == most or bytes >= max_reply
      end
    end
    enough = enough or looked >= 5000
    if count < wanted then
      return
    end
    if bytes < looked * 4096 then
      step = math.min(2 * step, 128)
    end
  end
end

local filled = redis.call('EXISTS', ready_lists(P))
for priority = 9, 0, -1 do
  if filled == 0 or enough then
    break
  end
  local list = P .. 'ready:' .. priority
  if redis.call('EXISTS', list) == 1 then
    filled = filled - 1
    take_from(list, priority)
  end
end
if got > 0 then
  if redis.call('EXISTS', P .. 'tries') == 1 then
    tried = redis.call('HMGET', P .. 'tries', unpack(ids))
    for i, tries in ipairs(tried) do
      local last = tries and redis.call('HGET', P .. 'last_tries', ids[i])
      if last then
        last_tries[#last_tries + 1], last_tries[#last_tries + 2] = i, last
      end
    end
  end
  redis.call('SADD', P .. 'running:' .. token, unpack(ids))
  if ARGV[4] == '0' or (ARGV[4] ~= '' and #tried > 0) then
    local unstarted, least = {}, ARGV[4] * one_loss
    for i = 1, got do
      if tonumber(tried[i] or 0) >= least then
        unstarted[#unstarted + 1] = ids[i]
      end
    end
    many('SADD', P .. 'unstarted:' .. token, unstarted)
  end
end

if got < most and not enough then
  -- One idle lease that claims at the next due time is enough; the others stay first in line for jobs that come before.
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
return {now, next_due and math.max(0, next_due - now) or -1, ids, records, tried, got < most and enough and 1 or 0, last_tries}
