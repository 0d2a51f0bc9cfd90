-- The live leases of a queue.
--
-- KEYS[1]  P, the queue's prefix
--
-- Returns {token, worker_info, how many of the queue's jobs it holds, ms until it runs out, its announcement} for each.
-- needs: shared_format shared_lists shared_live
local P = KEYS[1]
local found = {}
for _, live in ipairs(live_leases(P, 'quarq:leases', clock())) do
  local token, left = live[1], live[2]
  found[#found + 1] = {
    token, redis.call('HGET', 'quarq:cards', token) or '', redis.call('SCARD', P .. 'running:' .. token), left,
    redis.call('HGET', 'quarq:tasks', token) or ''
  }
end
return found
