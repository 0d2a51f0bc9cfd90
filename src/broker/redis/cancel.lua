-- Cancels a job that waits; asks the worker of one that runs.
--
-- KEYS[1]     P, the queue's prefix
-- ARGV[1..3]  the sender, the number of this call and those of earlier ones (shared_once.lua)
-- ARGV[4]     the job's id
-- ARGV[5]     its end, should it be cancelled without its worker: struct '<i8' for how many ms its outcome is kept (-1: for
--             ever), then the outcome
--
-- Returns 'cancelled', 'requested', 'ended' or 'not_found'.
-- needs: shared_format shared_calls shared_once shared_lists shared_wake shared_tell shared_ends shared_successes shared_find
local P, id, its_end = KEYS[1], ARGV[4], ARGV[5]
make_room(P)
local stored, state, token = find(P, id)
if not stored then
  return answer_once(kept_end(P, id) and 'ended' or 'not_found')
end
if state == '7' then
  return answer_once('ended')
end
if state == '2' then
  redis.call('HSETNX', P .. 'cancel:' .. token, id, its_end)
  redis.call('SADD', 'quarq:cancel:' .. token, P)
  redis.call('PUBLISH', P .. 'lease:' .. token, 'c' .. id)
  return answer_once('requested')
end
local priority = string.byte(stored, 25) or 5
if state == '1' then
  redis.call('ZREM', P .. 'deferred', priority .. id)
else -- to search for it in its list would take long: the claim that meets it drops it
  redis.call('HINCRBY', P .. 'cancelled', priority .. id, 1)
  redis.call('HINCRBY', P .. 'cancelled', '', 1)
end
end_cancelled(P, {id}, {its_end})
return answer_once('cancelled')
