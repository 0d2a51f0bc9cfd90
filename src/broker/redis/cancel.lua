-- Cancels a job that waits; asks the worker of one that runs.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the job's id
-- ARGV[2]  its end, should it be cancelled without its worker: struct '<i8' for how many ms its outcome is kept (-1: for
--          ever), then the outcome
--
-- Returns 'cancelled', 'requested', 'ended' or 'not_found'.
-- needs: shared_format shared_lists shared_wake shared_tell shared_ends shared_find
local P, id, its_end = KEYS[1], ARGV[1], ARGV[2]
local stored, state, token = find(P, id)
if not stored then
  local kept = redis.call('ZSCORE', P .. 'results_until', id)
  return kept and tonumber(kept) > clock() and 'ended' or 'not_found'
end
if state == '7' then
  return 'ended'
end
if state == '2' then
  redis.call('HSETNX', P .. 'cancel:' .. token, id, its_end)
  redis.call('PUBLISH', P .. 'lease:' .. token, 'c' .. id)
  return 'requested'
end
local priority = string.byte(stored, 25)
if state == '1' then
  redis.call('ZREM', P .. 'deferred', priority .. id)
else
  redis.call('LREM', P .. 'ready:' .. priority, -1, id) -- from the end: what is cancelled is more often new
end
end_cancelled(P, {id}, {its_end})
return 'cancelled'
