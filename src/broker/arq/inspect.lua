-- All that is known of a job.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  its id
--
-- Returns nil when there is no such job, else its details (shared_details.lua).
-- needs: shared_basics shared_details
local id = ARGV[1]
local score = redis.call('ZSCORE', Q, id)
if not score and redis.call('EXISTS', 'arq:result:' .. id) == 0 and not redis.call('ZSCORE', P .. 'dead', id) then
  return false
end
return details(id, score, score and redis.call('GET', 'arq:in-progress:' .. id))
