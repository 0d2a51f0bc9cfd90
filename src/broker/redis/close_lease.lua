-- Gives back all jobs held under a lease, uncounted, and ends it.
--
-- KEYS[1..] the prefixes of its queues
-- ARGV[1]   the lease's token
--
-- Returns how many jobs were given back.
-- needs: shared_lists shared_wake shared_tell shared_ends shared_give_back shared_silence shared_heard shared_leases
local token, given = ARGV[1], 0
make_room('quarq:')
for _, P in ipairs(KEYS) do
  given = given + give_back(P, token, nil, false)
  leave(P, token)
end
end_lease(token)
return given
