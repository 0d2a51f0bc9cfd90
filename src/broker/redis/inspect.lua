-- All about one job.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the job's id
--
-- Returns its details (shared_details.lua), or nil.
-- needs: shared_format shared_lists shared_find shared_details
local P, id = KEYS[1], ARGV[1]
local stored, state, more = find(P, id)
if stored then
  return details(P, id, stored, state, more)
end
local kept = redis.call('ZSCORE', P .. 'results_until', id)
local result = redis.call('HGET', P .. 'results', id)
if kept and result and tonumber(kept) > clock() then
  return ended_details(id, result)
end
return false
