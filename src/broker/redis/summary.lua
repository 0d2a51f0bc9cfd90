-- How many jobs a queue has in each state.
--
-- KEYS[1]  P, the queue's prefix
--
-- Returns {queued, deferred, running, dead, kept, live leases, 1 if it is paused, else 0}
-- needs: shared_format shared_lists shared_successes shared_live
local P = KEYS[1]
local now = clock()
local queued, running, kept = -(redis.call('HGET', P .. 'cancelled', '') or 0), 0, count_successes(P, now)
for _, list in ipairs({ready_lists(P)}) do
  queued = queued + redis.call('LLEN', list)
end
for _, token in ipairs(redis.call('ZRANGE', P .. 'leases', 0, -1)) do
  running = running + redis.call('SCARD', P .. 'running:' .. token)
end
for state = 3, 6 do
  kept = kept + redis.call('ZCOUNT', P .. 'ended:' .. state, '(' .. now, '+inf')
end
return {
  queued, redis.call('ZCARD', P .. 'deferred'), running, redis.call('ZCARD', P .. 'dead'),
  kept, #live_leases(P, 'quarq:leases', now), redis.call('EXISTS', P .. 'paused')
}
