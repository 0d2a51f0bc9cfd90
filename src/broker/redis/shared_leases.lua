-- Shared: the leases of workers. A worker has one over all its queues, so its data stands beside the queues' keys,
-- once for the database; and P..leases of each of its queues has its token, with the moment at which it was opened. Needs
-- shared_lists.lua and shared_heard.lua.

-- The prefixes of the queues of a lease.
local function queues_of(token)
  local served = redis.call('HGET', 'quarq:served', token)
  return served and cmsgpack.unpack(served) or {}
end

-- Takes a lease that holds nothing of this queue any more out of the queue. It may have been woken for jobs that it never
-- claimed: somebody else must hear of them. Needs shared_wake.lua.
local function leave(P, token)
  redis.call('ZREM', P .. 'leases', token)
  redis.call('ZREM', P .. 'idle', token)
  redis.call('ZREM', P .. 'paused', token)
  redis.call('HDEL', P .. 'takers', token)
  redis.call('DEL', P .. 'settled:' .. token, P .. 'pushed:' .. token, P .. 'unstarted:' .. token)
  if redis.call('EXISTS', ready_lists(P)) > 0 then
    wake(P)
  else
    local first = redis.call('ZRANGE', P .. 'deferred', 0, 0, 'WITHSCORES')
    if first[1] then
      wake_for(P, tonumber(first[2]))
    end
  end
end

-- Forgets a lease that has left all its queues.
local function end_lease(token)
  redis.call('ZREM', leases, token)
  redis.call('HDEL', 'quarq:heard', token)
  redis.call('HDEL', 'quarq:cards', token)
  redis.call('HDEL', 'quarq:tasks', token)
  redis.call('HDEL', 'quarq:served', token)
  redis.call('HDEL', 'quarq:spared', token)
  redis.call('DEL', 'quarq:cancel:' .. token)
  if redis.call('EXISTS', leases) == 0 then
    redis.call('DEL', 'quarq:heard')
  end
end

