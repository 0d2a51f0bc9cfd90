-- All that is known of a job.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  its id
-- ARGV[2]  '1' if it may be large
--
-- Returns nil when there is no such job, else its details (shared_details.lua), and what it says of itself while it has not ended; or 1 when they are larger than max_shared_payload,
-- and may not be.
-- needs: shared_basics shared_details
local id = ARGV[1]
local score = redis.call('ZSCORE', Q, id)
local holder = holders_of({id})[1]
if not score and not holder and redis.call('EXISTS', 'arq:result:' .. id) == 0 and not redis.call('ZSCORE', P .. 'dead', id) then
  return false
end
local found = details(id, score, holder)
found[11] = (score or holder) and redis.call('GET', P .. 'note:' .. id) or ''
return ARGV[2] == '0' and #found[3] + #found[4] > max_shared_payload and 1 or found
