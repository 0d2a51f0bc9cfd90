-- Gives back, uncounted, the jobs held under a lease that its worker does not know of. The jobs that it does know of are its own
-- again, unless somebody else has started them while the server or the network was down.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the lease's token
-- ARGV[2]   its duration, ms
-- ARGV[3..] ids that the worker knows of
--
-- Returns how many jobs were given back.
-- needs: shared_basics shared_wake shared_tell shared_ends shared_silence shared_held
local token = ARGV[1]
make_room()
local known = {}
for i = 3, #ARGV do
  known[ARGV[i]] = true
end
local given = give_back(token, known, false)
if redis.call('ZSCORE', P .. 'leases', token) then
  extend_here(token, tonumber(ARGV[2]))
end
redis.call('ZREM', P .. 'idle', token)
if given > 0 then
  wake(P)
end
return given
