-- How many jobs of a queue are in one state, of those that list.lua shows.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the state, a digit of job_state
--
-- Returns the number.
-- needs: shared_format shared_lists
local P, state = KEYS[1], ARGV[1]
local count = 0
if state == '0' then
  count = -(redis.call('HGET', P .. 'cancelled', '') or 0)
  for _, list in ipairs({ready_lists(P)}) do
    count = count + redis.call('LLEN', list)
  end
elseif state == '2' then
  for _, token in ipairs(redis.call('ZRANGE', P .. 'leases', 0, -1)) do
    count = count + redis.call('SCARD', P .. 'running:' .. token)
  end
elseif state == '1' or state == '7' then
  count = redis.call('ZCARD', P .. (state == '1' and 'deferred' or 'dead'))
else
  count = redis.call('ZCOUNT', P .. 'ended:' .. state, '(' .. clock(), '+inf')
end
return math.max(0, count)
