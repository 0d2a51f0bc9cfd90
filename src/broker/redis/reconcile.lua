-- Gives back, uncounted, the jobs held under a lease that its worker does not know of.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the lease's token
-- ARGV[2..] the ids it knows
--
-- The lease is not idle any more: jobs pushed since it came back are given back here, so no more may be pushed
-- until it claims.
--
-- Returns how many jobs were given back.
-- needs: shared_lists shared_wake shared_tell shared_ends shared_give_back
local P = KEYS[1]
local known = {}
for i = 2, #ARGV do
  known[ARGV[i]] = true
end
redis.call('ZREM', P .. 'idle', ARGV[1])
local given = give_back(P, ARGV[1], known, false)
redis.call('DEL', P .. 'pushed:' .. ARGV[1])
if given > 0 then
  wake(P)
end
return given
