-- Stores jobs, all in one step.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the sender: 26 characters that name the client's connection
-- ARGV[2]   the number of this call, unique to the sender. A call that is sent again, because its answer was lost with
--           the connection, has the same number: it gets the first answer again and stores nothing.
-- ARGV[3]   numbers of earlier calls whose answers have arrived, so that they need not be remembered, divided by spaces
-- ARGV[4]   how long to remember, in ms, or '' to leave as it is
-- ARGV[5]   what all jobs have in common (see below), or ''
-- ARGV[6..] for each job: id, record, and if ARGV[5] is '': struct '<BBBi8i8': 1 if the id is fresh, priority,
--           0 now | 1 after so many ms | 2 at that moment, ms; expires so many ms after it became due, or -1
--
-- Returns '' when all were accepted, else a '1' (accepted) or '0' (duplicate) for each job.
-- needs: shared_format shared_lists shared_wake
local P = KEYS[1]
local sender = P .. 'sender:' .. ARGV[1]
if redis.call('HSETNX', sender, ARGV[2], '') == 0 then
  return redis.call('HGET', sender, ARGV[2])
end
if not format then
  redis.call('SET', P .. 'format', '1')
end
if ARGV[3] ~= '' then
  for call in string.gmatch(ARGV[3], '%d+') do
    redis.call('HDEL', sender, call)
  end
end
if ARGV[4] ~= '' then
  redis.call('PEXPIRE', sender, ARGV[4])
end

local now = clock()
local common = ARGV[5] ~= ''
local step = common and 2 or 3
local count = (#ARGV - 5) / step
local ids = {}
for k = 1, count do
  ids[k] = ARGV[6 + (k - 1) * step]
end
local live = redis.call('HMGET', P .. 'jobs', unpack(ids))
local until_when -- asked for when the first given id is met

local meta, header, fresh, priority, kind, amount, expires, due, due_text
local stored, ready, deferred, refused = {}, {}, {}, nil
local soonest
local seen = {}
for k = 1, count do
  local id = ids[k]
  local this = common and ARGV[5] or ARGV[8 + (k - 1) * step]
  if this ~= meta then
    meta = this
    fresh, priority, kind, amount, expires = struct.unpack('<BBBi8i8', meta)
    due = now
    if kind == 1 then
      due = now + amount
    elseif kind == 2 and amount > now then
      due = amount
    end
    due_text = string.format('%.0f', due) -- a number as an argument is formatted each time, slowly
    header = struct.pack('<I8I8I8B', now, due, expires >= 0 and due + expires or 0, priority)
  end
  local known = live[k]
  if fresh == 0 then
    if not until_when then
      until_when = redis.call('ZMSCORE', P .. 'results_until', unpack(ids))
    end
    known = known or seen[id] or (until_when[k] and tonumber(until_when[k]) > now)
    seen[id] = true
    if known then
      refused = refused or {}
      refused[k] = true
    end
  end
  -- A fresh id that is known is the same job once more: it is there already.
  if not known then
    stored[#stored + 1] = id
    stored[#stored + 1] = header .. ARGV[7 + (k - 1) * step]
    if due > now then
      deferred[#deferred + 1], deferred[#deferred + 2] = due_text, priority .. id
      soonest = math.min(soonest or due, due)
    else
      local list = ready[priority]
      if not list then
        list = {}
        ready[priority] = list
      end
      list[#list + 1] = id
    end
  end
end

many('HSET', P .. 'jobs', stored)
for level, list in pairs(ready) do
  many('RPUSH', P .. 'ready:' .. level, list)
end
many('ZADD', P .. 'deferred', deferred)

if next(ready) then
  wake(P)
elseif soonest then
  wake_for(P, soonest)
end

if not refused then
  return ''
end
local answer = {}
for k = 1, count do
  answer[k] = refused[k] and '0' or '1'
end
answer = table.concat(answer)
redis.call('HSET', sender, ARGV[2], answer)
return answer
