-- Gives back all jobs held under a lease, uncounted, and ends it.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the lease's token
--
-- Returns how many jobs were given back.
-- needs: shared_lists shared_wake shared_tell shared_ends shared_give_back
local P, token = KEYS[1], ARGV[1]
make_room(P)
local given = give_back(P, token, nil, false)
end_lease(P, token)
-- It may have been woken for jobs that it never claimed: somebody else must hear of them.
if redis.call('EXISTS', ready_lists(P)) > 0 then
  wake(P)
else
  local first = redis.call('ZRANGE', P .. 'deferred', 0, 0, 'WITHSCORES')
  if first[1] then
    wake_for(P, tonumber(first[2]))
  end
end
return given
