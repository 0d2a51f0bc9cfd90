-- Stores jobs, all in one step.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the sender: 26 characters that name the client's connection
-- ARGV[2]   the number of this call, unique to the sender. A call that is sent again, because its answer was lost with
--           the connection, has the same number: it gets the first answer again and stores nothing.
-- ARGV[3]   numbers of earlier calls whose answers have arrived, so that they need not be remembered, divided by spaces
-- ARGV[4]   how long to remember, in ms, or '' to leave as it is
-- ARGV[5]   the options that all jobs share (see below), or ''
-- ARGV[6]   the client that is to be told of the end of these jobs, which are all fresh (see wait.lua); or ''
-- ARGV[7]   for the counts: = and the task of all these jobs; + where each has its own; or '': none is counted
-- ARGV[8..] for each job: id, record; if ARGV[5] is '', struct '<BBBi8i8': 1 if the id is fresh, priority,
--           0 now | 1 after so many ms | 2 at that moment, ms; expires so many ms after it became due, or -1; if ARGV[7] is +, its task
--
-- Returns '' when all were accepted, else a '1' (accepted) or '0' (duplicate) for each job.
-- needs: shared_format shared_calls shared_enqueued
local P = KEYS[1]
local sender = P .. 'sender:' .. ARGV[1]
if redis.call('HSETNX', sender, ARGV[2], '') == 0 then
  return redis.call('HGET', sender, ARGV[2])
end
if not format then
  redis.call('SET', P .. 'format', known_format)
end
forget_calls(sender, ARGV[3])
if ARGV[4] ~= '' then
  redis.call('PEXPIRE', sender, ARGV[4])
end

-- A fresh job alone, due now, goes straight to a lease that waits for work, has said that it takes given jobs (P..takers:
-- how many it may hold when it is given another) and hears us: as if it had been claimed. Its message: j, the id's length
-- (1 byte), id, header and record. The lease stays idle, but the others come before it now. P..pushed:TOKEN lists the
-- pushed jobs that, as far as is known, have not arrived yet (8 bytes for when, ms, then the id): the worker's broker removes
-- arrived jobs from its front. A lease that has been silent for a moment, or has not taken an earlier push, may stand still:
-- it is passed over. This stands before the functions that the rest needs, because they cost time in each call.
if #ARGV == 9 and ARGV[5] ~= '' and #ARGV[9] <= max_shared_payload then
  local fresh, priority, kind, _, expires = struct.unpack('<BBBi8i8', ARGV[5])
  local idle = P .. 'idle'
  local candidates = kind == 0 and fresh == 1 and redis.call('ZREVRANGE', idle, 0, 3, 'WITHSCORES')
  local R = P .. 'ready:'
  if candidates and candidates[1] and redis.call('EXISTS', R .. '9', R .. '8', R .. '7', R .. '6', R .. '5', R .. '4',
      R .. '3', R .. '2', R .. '1', R .. '0', P .. 'paused') == 0 then
    local id = ARGV[8]
    local t = redis.call('TIME')
    local now = t[1] * 1000 + math.floor(t[2] / 1000)
    local stored
    for i = 1, #candidates, 2 do
      local token = candidates[i]
      local running, pushed = P .. 'running:' .. token, P .. 'pushed:' .. token
      local limit = redis.call('HGET', P .. 'takers', token)
      local heard = limit and redis.call('HGET', 'quarq:heard', token)
      local waits = heard and redis.call('LINDEX', pushed, 0)
      local silence = heard and now - heard
      local hears = heard and (silence < 1500 or silence < 3 * redis.call('ZCARD', 'quarq:leases')) -- see stands_still
      if hears and not (waits and now - struct.unpack('<I8', waits) > 200)
          and redis.call('SCARD', running) < tonumber(limit) then
        stored = stored or struct.pack('<I8I8I8B', now, now, expires >= 0 and now + expires or 0, priority) .. ARGV[9]
        if redis.call('HSETNX', P .. 'jobs', id, stored) == 0 then
          return '' -- the same job once more: it is there already
        end
        redis.call('SADD', running, id)
        if redis.call('PUBLISH', P .. 'lease:' .. token, 'j' .. string.char(#id) .. id .. stored) > 0 then
          redis.call('RPUSH', pushed, struct.pack('<I8', now) .. id)
          if candidates[3] and tonumber(candidates[i + 1]) > 2 ^ 52 then -- without a moment of its own at which it claims
            redis.call('ZADD', idle, string.format('%.0f', 2 ^ 53 - now), token)
          end
          if ARGV[6] ~= '' then
            redis.call('HSET', P .. 'waiters', id, ARGV[6])
          end
          if ARGV[7] ~= '' then
            count_enqueued(P, now, string.sub(ARGV[7], 2), 1)
          end
          return ''
        end
        redis.call('SREM', running, id)
        redis.call('HDEL', P .. 'jobs', id)
        redis.call('ZREM', idle, token)
      end
    end
  end
end

-- needs: shared_lists shared_wake
local now = clock()
local common, tasks_differ = ARGV[5] ~= '', ARGV[7] == '+'
local step = (common and 2 or 3) + (tasks_differ and 1 or 0)
local count = (#ARGV - 7) / step
local ids = {}
for k = 1, count do
  ids[k] = ARGV[8 + (k - 1) * step]
end
local live = redis.call('HMGET', P .. 'jobs', unpack(ids))
local kept -- which of these ids have a kept outcome: asked for when the first given id is met

-- Sets `kept`: for each state the moments, or nothing, until which the jobs of these ids are kept.
local function look_for_kept()
  kept = {}
  for state = 3, 6 do
    if redis.call('EXISTS', P .. 'ended:' .. state) == 1 then
      kept[state] = redis.call('ZMSCORE', P .. 'ended:' .. state, unpack(ids))
    end
  end
end

-- Whether the outcome of a job of the k-th id is kept. One whose time is over goes, before another of this id ends.
local function is_kept(k)
  for state, moments in pairs(kept) do
    if moments[k] and tonumber(moments[k]) > now then
      return true
    elseif moments[k] then
      redis.call('ZREM', P .. 'ended:' .. state, ids[k])
      redis.call('HDEL', P .. 'results', ids[k])
    end
  end
  return false
end

local meta, header, fresh, priority, kind, amount, expires, due, due_text
local stored, ready, deferred, refused = {}, {}, {}, nil
local by_task = {}
local soonest
local seen = {}
for k = 1, count do
  local id = ids[k]
  local this = common and ARGV[5] or ARGV[10 + (k - 1) * step]
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
    if not kept then
      look_for_kept()
    end
    known = known or seen[id] or is_kept(k)
    seen[id] = true
    if known then
      refused = refused or {}
      refused[k] = true
    end
  end
  -- A fresh id that is known is the same job once more: it is there already.
  if not known then
    stored[#stored + 1] = id
    if tasks_differ then
      local task = ARGV[7 + k * step]
      by_task[task] = (by_task[task] or 0) + 1
    end
    stored[#stored + 1] = header .. ARGV[9 + (k - 1) * step]
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
if ARGV[6] ~= '' then
  local waiters = {}
  for i = 1, #stored, 2 do
    waiters[i], waiters[i + 1] = stored[i], ARGV[6]
  end
  many('HSET', P .. 'waiters', waiters)
end

if ARGV[7] ~= '' and not tasks_differ and #stored > 0 then
  by_task[string.sub(ARGV[7], 2)] = #stored / 2
end
for task, how_many in pairs(by_task) do
  if task ~= '' then
    count_enqueued(P, now, task, how_many)
  end
end

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
