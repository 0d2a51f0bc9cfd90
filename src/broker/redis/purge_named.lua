-- Forgets some jobs in one state (not running). Their waiters are told that there is no such job.
--
-- KEYS[1]     P, the queue's prefix
-- ARGV[1..3]  the sender, the number of this call and those of earlier ones (shared_once.lua)
-- ARGV[4]     the state, a digit of job_state
-- ARGV[5..]   ids (up to 500)
--
-- Returns {how many were forgotten, how many of the ids were looked at}: where there are very many leases, and a queued job could
-- be held under each, these are not all.
-- needs: shared_format shared_calls shared_once shared_lists shared_tell shared_purged shared_ends shared_successes shared_find
local P, state = KEYS[1], ARGV[4]
make_room(P)
local ids, seen = {}, {}
local most = #ARGV - 4
if state == '0' then
  most = math.min(most, math.max(1, math.floor(10000 / (1 + redis.call('ZCARD', P .. 'leases')))))
end

-- Takes a job of this state out of where it stands; false if it is in another.
local function take(id)
  if state == '7' then
    return redis.call('ZREM', P .. 'dead', id) == 1
  elseif state ~= '0' and state ~= '1' then
    local moment = redis.call('ZSCORE', P .. 'ended:' .. state, id)
    return moment and redis.call('ZREM', P .. 'ended:' .. state, id) == 1 and tonumber(moment) > clock()
  end
  local stored, now_in = find(P, id)
  if not stored or now_in ~= state then
    return false
  end
  local entry = (string.byte(stored, 25) or 5) .. id
  if state == '1' then
    return redis.call('ZREM', P .. 'deferred', entry) == 1
  end
  redis.call('HINCRBY', P .. 'cancelled', entry, 1) -- as in cancel.lua
  redis.call('HINCRBY', P .. 'cancelled', '', 1)
  return true
end

for k = 5, 4 + most do
  local id = ARGV[k]
  if not seen[id] and take(id) then
    ids[#ids + 1] = id
  end
  seen[id] = true
end
if state ~= '0' and state ~= '1' and state ~= '7' then
  many('HDEL', P .. 'results', ids)
  return answer_once({#ids, most})
end
if state == '7' then
  many('HDEL', P .. 'dead_outcomes', ids)
end
forget(P, ids)
tell_purged(P, ids)
return answer_once({#ids, most})
