-- Forgets a part of the jobs in one state (not running). Their waiters are told that there is no such job.
--
-- KEYS[1]     P, the queue's prefix
-- ARGV[1..3]  the sender, the number of this call and those of earlier ones (shared_once.lua)
-- ARGV[4]     the state, a digit of job_state
--
-- Returns {how many were forgotten, 1 if there may be others, else 0}.
-- needs: shared_format shared_calls shared_once shared_lists shared_tell shared_purged shared_ends shared_successes
local P, state = KEYS[1], ARGV[4]
make_room(P)
local most = 1000
local ids, taken = {}, 0
if state == '0' then
  local any_cancelled = redis.call('EXISTS', P .. 'cancelled') == 1
  for priority = 9, 0, -1 do
    local some = taken < most and redis.call('LPOP', P .. 'ready:' .. priority, most - taken) or {}
    taken = taken + #some
    for _, id in ipairs(any_cancelled and #some > 0 and without_cancelled(P, some, priority) or some) do
      ids[#ids + 1] = id
    end
  end
elseif state == '1' then
  local entries = redis.call('ZRANGE', P .. 'deferred', 0, most - 1)
  for k, entry in ipairs(entries) do
    ids[k] = string.sub(entry, 2)
  end
  many('ZREM', P .. 'deferred', entries)
elseif state == '7' then
  ids = redis.call('ZRANGE', P .. 'dead', 0, most - 1)
  many('ZREM', P .. 'dead', ids)
  many('HDEL', P .. 'dead_outcomes', ids)
else
  if sweep(P, state, clock(), most) == most then
    return answer_once({0, 1})
  end
  ids = redis.call('ZRANGE', P .. 'ended:' .. state, 0, most - 1)
  many('HDEL', P .. 'results', ids)
  many('ZREM', P .. 'ended:' .. state, ids)
  local count = #ids
  if state == '3' then
    local now = clock()
    count = count + count_successes(P, now)
    redis.call('UNLINK', unpack(success_sets(P, now)))
  end
  return answer_once({count, #ids == most and 1 or 0})
end
forget(P, ids)
tell_purged(P, ids)
return answer_once({#ids, math.max(taken, #ids) == most and 1 or 0})
