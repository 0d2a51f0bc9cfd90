-- Gives back all jobs held under a lease, uncounted, and ends it.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the lease's token
-- ARGV[2]  the key of the queue's health record
--
-- Returns how many jobs were given back.
-- needs: shared_basics shared_wake shared_tell shared_ends shared_held shared_python shared_ready
make_room()
local given = give_back(ARGV[1], nil, false)
forget_lease(ARGV[1])
if redis.call('EXISTS', P .. 'leases') == 0 then
  -- Of Python's workers, the next health record may come after an hour.
  look_for_python(ARGV[2])
  if redis.call('EXISTS', P .. 'python') == 0 then
    redis.call('DEL', ARGV[2])
  end
  redis.call('DEL', P .. 'health', P .. 'last_heard', P .. 'left')
end
-- It may have been woken for jobs that it never claimed: somebody else must hear of them.
if has_ready() then
  wake(P)
else
  local due = next_due()
  if due then
    wake_for(P, due)
  end
end
return given
