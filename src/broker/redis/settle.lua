-- Ends, retries or gives back jobs held under a lease, all in one step.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the lease's token
-- ARGV[2]   what is to be done with all of them (see below), or ''
-- ARGV[3..] for each job, no id twice: id, outcome, and if ARGV[2] is '': struct '<BBi8': 0 end | 1 retry | 2 hand back;
--           job_state if it ends; for how many ms its outcome is kept (-1: for ever), or until it is tried again
--
-- Returns '' when all were held, else a '1' (held, done) or '0' (not held, nothing changed) for each job.
-- A job whose cancelling was requested ends as cancelled instead of being retried or handed back.
-- needs: shared_lists shared_wake shared_ends
local P, token = KEYS[1], ARGV[1]
local running, cancel = P .. 'running:' .. token, P .. 'cancel:' .. token
local common = ARGV[2] ~= ''
local step = common and 2 or 3
local count = (#ARGV - 2) / step
local ids = {}
for k = 1, count do
  ids[k] = ARGV[3 + (k - 1) * step]
end
local held = redis.call('HMGET', running, unpack(ids))
local unwanted = redis.call('EXISTS', cancel) == 1

local now = clock()
local gone, refused = {}, false
local ended, states, outcomes, finished, kept, kept_until = {}, {}, {}, {}, {}, {}
local dead, dead_outcomes, tries, deferred, front = {}, {}, {}, {}, {}
local soonest
local kind, state, amount
if common then
  kind, state, amount = struct.unpack('<BBi8', ARGV[2])
end
for k = 1, count do
  local id, hold = ids[k], held[k]
  if not hold then
    refused = true
  else
    if not common then
      kind, state, amount = struct.unpack('<BBi8', ARGV[5 + (k - 1) * step])
    end
    local outcome = ARGV[4 + (k - 1) * step]
    gone[#gone + 1] = id
    if kind ~= 0 and unwanted and redis.call('SISMEMBER', cancel, id) == 1 then
      kind, state, amount, outcome = 0, 5, 0, ''
    end
    if kind == 0 then
      local n = #ended + 1
      ended[n], states[n], outcomes[n] = id, state, outcome
      if state == 7 then
        dead[#dead + 1] = now
        dead[#dead + 1] = id
        dead_outcomes[#dead_outcomes + 1] = id
        dead_outcomes[#dead_outcomes + 1] = outcome
        tries[#tries + 1] = id
        tries[#tries + 1] = string.sub(hold, 2)
      else
        finished[#finished + 1] = id
        if amount ~= 0 then
          local last = #kept
          kept[last + 1], kept[last + 2] = id, state .. outcome
          kept_until[last + 1], kept_until[last + 2] = amount > 0 and now + amount or '+inf', id
        end
      end
    elseif kind == 1 then
      local due = now + amount
      deferred[#deferred + 1] = due
      deferred[#deferred + 1] = string.sub(hold, 1, 1) .. id
      tries[#tries + 1] = id
      tries[#tries + 1] = string.sub(hold, 2)
      if not soonest or due < soonest then
        soonest = due
      end
    else
      local priority = string.sub(hold, 1, 1)
      local list = front[priority] or {}
      front[priority] = list
      table.insert(list, 1, id) -- pushed one by one to the front: the first of the batch must come last
    end
    if common and kind ~= nil and unwanted then
      kind, state, amount = struct.unpack('<BBi8', ARGV[2])
    end
  end
end

many('HDEL', running, gone)
if unwanted then
  many('SREM', cancel, gone)
end
if #finished > 0 then
  forget(P, finished)
end
if #kept > 0 then
  many('HSET', P .. 'results', kept)
  many('ZADD', P .. 'results_until', kept_until)
  -- The two keys live as long as the last of what they hold, should no worker ever come to tidy up.
  local last = tonumber(redis.call('ZRANGE', P .. 'results_until', -1, -1, 'WITHSCORES')[2])
  for _, key in ipairs({P .. 'results', P .. 'results_until'}) do
    if last < 2 ^ 53 then
      redis.call('PEXPIREAT', key, last)
    else
      redis.call('PERSIST', key)
    end
  end
end
if #dead > 0 then
  many('ZADD', P .. 'dead', dead)
  many('HSET', P .. 'dead_outcomes', dead_outcomes)
end
many('HSET', P .. 'tries', tries)
many('ZADD', P .. 'deferred', deferred)
for priority, list in pairs(front) do
  many('LPUSH', P .. 'ready:' .. priority, list)
end
tell(P, ended, states, outcomes)
if next(front) then
  wake(P)
elseif soonest then
  wake_for(P, soonest)
end

if not refused then
  return ''
end
local answer = {}
for k = 1, count do
  answer[k] = held[k] and '1' or '0'
end
return table.concat(answer)
