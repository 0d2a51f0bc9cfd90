-- The live leases of a queue.
--
-- KEYS[1]  P, the queue's prefix
--
-- Returns {token, card, how many jobs it holds, ms until it runs out} for each.
-- needs: shared_format shared_lists
local P = KEYS[1]
local now = clock()
local found = {}
local leases = redis.call('ZRANGEBYSCORE', P .. 'leases', now, '+inf', 'WITHSCORES')
for i = 1, #leases, 2 do
  local token = leases[i]
  found[#found + 1] = {
    token, redis.call('HGET', P .. 'cards', token) or '', redis.call('SCARD', P .. 'running:' .. token),
    tonumber(leases[i + 1]) - now
  }
end
return found
