-- Cancels a job that waits; asks the worker of one that runs.
--
-- KEYS[1]     P, the queue's prefix
-- ARGV[1..3]  the sender, the number of this call and those of earlier ones (shared_once.lua)
-- ARGV[4]     the job's id
-- ARGV[5]     its end, should it be cancelled without its worker: for how many ms its result is kept (-1: for ever), a space,
--             the result
--
-- Returns 'cancelled', 'requested', 'ended' or 'not_found'.
-- needs: shared_basics shared_calls shared_once shared_tell shared_ends
local id = ARGV[4]
make_room()
if not redis.call('ZSCORE', Q, id) then
  local kept = redis.call('EXISTS', 'arq:result:' .. id) == 1 or redis.call('ZSCORE', P .. 'dead', id)
  return answer_once(kept and 'ended' or 'not_found')
end
local holder = holders_of({id})[1]
if not holder then
  finish_cancelled({id}, {ARGV[5]})
  return answer_once('cancelled')
end
if redis.call('ZSCORE', P .. 'leases', holder) then
  redis.call('HSETNX', P .. 'cancel:' .. holder, id, ARGV[5])
  redis.call('SADD', 'arq:quarq:cancel:' .. holder, P)
  redis.call('PUBLISH', P .. 'lease:' .. holder, 'c' .. id)
else
  -- A Python worker heeds this if it was started with allow_abort_jobs.
  redis.call('ZADD', 'arq:abort', string.format('%.0f', now), id)
end
return answer_once('requested')
