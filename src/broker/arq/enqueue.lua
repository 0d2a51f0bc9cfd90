-- Stores jobs as arq's clients do, all in one step.
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
-- ARGV[8..] for each job: id, payload; if ARGV[5] is '', f (its id is fresh) or g (given by the user), its payload's time
--           to live in ms, a space, its score; if ARGV[7] is +, its task
--
-- Returns '' when all were accepted, else a '1' (accepted) or '0' (duplicate) for each job.
-- needs: shared_basics shared_calls shared_wake shared_enqueued
local sender = P .. 'sender:' .. ARGV[1]
if redis.call('HSETNX', sender, ARGV[2], '') == 0 then
  return redis.call('HGET', sender, ARGV[2])
end
forget_calls(sender, ARGV[3])
if ARGV[4] ~= '' then
  redis.call('PEXPIRE', sender, ARGV[4])
end

-- arq's clients look at the first two only. A job that runs though its payload is gone would take its successor along when it ends.
local function is_known(id)
  return redis.call('EXISTS', 'arq:job:' .. id, 'arq:result:' .. id) > 0
    or redis.call('ZSCORE', P .. 'dead', id)
    or (holders_of({id})[1] and redis.call('ZSCORE', Q, id))
end

local tasks_differ = ARGV[7] == '+'
local step = (ARGV[5] ~= '' and 2 or 3) + (tasks_differ and 1 or 0)
local by_task, common_task = {}, string.sub(ARGV[7], 2)
local answer, refused, places, waiters = {}, false, {}, {}
local soonest = math.huge
for k = 8, #ARGV, step do
  local id = ARGV[k]
  local kind, keep, score = string.match(step == 2 and ARGV[5] or ARGV[k + 2], '^(.)(%S+) (%S+)$')
  local stored = (kind == 'f' or not is_known(id)) and redis.call('SET', 'arq:job:' .. id, ARGV[k + 1], 'PX', keep, 'NX')
  answer[#answer + 1] = (stored or kind == 'f') and '1' or '0'
  if stored then
    local task = tasks_differ and ARGV[k + step - 1] or common_task
    by_task[task] = (by_task[task] or 0) + 1
    places[#places + 1], places[#places + 2] = score, id
    soonest = math.min(soonest, tonumber(score))
    waiters[#waiters + 1], waiters[#waiters + 2] = id, ARGV[6]
  elseif kind ~= 'f' then -- A fresh id that is known is the same job once more: it is there already.
    refused = true
  end
end
for i = 1, #places, 2000 do
  redis.call('ZADD', Q, unpack(places, i, math.min(i + 1999, #places)))
end
if ARGV[6] ~= '' then
  many('HSET', P .. 'waiters', waiters)
  redis.call('PEXPIRE', P .. 'waiters', '172800000') -- as wait.lua
end

by_task[''] = nil
for task, how_many in pairs(by_task) do
  count_enqueued(P, now, task, how_many)
end

if soonest <= now then
  wake(P)
elseif #places > 0 then
  wake_for(P, soonest)
end

if not refused then
  return ''
end
answer = table.concat(answer)
redis.call('HSET', sender, ARGV[2], answer)
return answer
