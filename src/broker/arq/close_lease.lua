-- Gives back all jobs held under a lease, uncounted, and ends it.
--
-- KEYS[1..] the prefixes of its queues
-- ARGV[1]   the lease's token
-- ARGV[2..] the keys of the queues' health records
--
-- Returns how many jobs were given back.
-- needs: shared_basics shared_wake shared_tell shared_ends shared_silence shared_held shared_python shared_ready
local token, given = ARGV[1], 0
make_room()
for i, prefix in ipairs(KEYS) do
  turn_to(prefix)
  given = given + give_back(token, nil, false)
  leave(token)
  if redis.call('EXISTS', P .. 'leases') == 0 then
    -- Of Python's workers, the next health record may come after an hour.
    local health_key = ARGV[1 + i]
    look_for_python(health_key)
    if redis.call('EXISTS', P .. 'python') == 0 then
      redis.call('DEL', health_key)
    end
    redis.call('DEL', P .. 'health', P .. 'left')
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
end
forget_lease(token)
return given
