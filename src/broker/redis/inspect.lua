-- All about one job.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the job's id
-- ARGV[2]  how many bytes its record and outcome may have together; '' : any
--
-- Returns its details (shared_details.lua), and what it says of itself while it has not ended; nil if there is no such job; 2 if it is too large.
-- needs: shared_format shared_lists shared_successes shared_find shared_details
local P, id = KEYS[1], ARGV[1]
local stored, state, more = find(P, id)
local found
if stored then
  found = details(P, id, stored, state, more)
  found[8] = state ~= '7' and redis.call('GET', P .. 'note:' .. id) or ''
else
  local outcome
  state, outcome = kept_end(P, id)
  if not state then
    return false
  end
  found = ended_details(id, state, outcome)
end
if ARGV[2] ~= '' and #found[3] + #found[4] > tonumber(ARGV[2]) then
  return 2
end
return found
