-- Shared: taking jobs away from a lease. Needs shared_lists.lua, shared_ends.lua.

-- Gives the jobs held under `token`, but those in the set `keep` (or nil), back to the front of their ready lists; jobs with a
-- cancel request end as it says. lost: the jobs count as lost once more, except those that have not begun, and pushed jobs that,
-- as far as is known, have not reached their worker. Returns how many were given back, and how many of them count as lost.
local function give_back(P, token, keep, lost)
  local running, cancel = P .. 'running:' .. token, P .. 'cancel:' .. token
  local held = redis.call('SMEMBERS', running)
  local unwanted, requests = {}, redis.call('HGETALL', cancel)
  for i = 1, #requests, 2 do
    unwanted[requests[i]] = requests[i + 1]
  end
  local waiting = P .. 'unstarted:' .. token
  local unstarted = {}
  for _, id in ipairs(lost and redis.call('SMEMBERS', waiting) or {}) do
    unstarted[id] = true
  end
  for _, entry in ipairs(lost and redis.call('LRANGE', P .. 'pushed:' .. token, 0, -1) or {}) do
    unstarted[string.sub(entry, 9)] = true
  end
  local taken, cancelled, their_ends, losses, lists, given = {}, {}, {}, {}, {}, 0
  for _, id in ipairs(held) do
    if not (keep and keep[id]) then
      taken[#taken + 1] = id
      if unwanted[id] then
        cancelled[#cancelled + 1], their_ends[#their_ends + 1] = id, unwanted[id]
      else
        local priority = priority_of(P, id)
        local list = lists[priority] or {}
        lists[priority] = list
        list[#list + 1] = id
        given = given + 1
        if lost and not unstarted[id] then
          losses[#losses + 1] = id
        end
      end
    end
  end
  many('SREM', running, taken)
  many('HDEL', cancel, taken)
  many('SREM', waiting, taken)
  for _, id in ipairs(losses) do
    redis.call('HINCRBY', P .. 'tries', id, one_loss)
  end
  for priority, list in pairs(lists) do
    table.sort(list, function(a, b) return a > b end) -- pushed one by one to the front: the oldest must come last
    many('LPUSH', P .. 'ready:' .. priority, list)
  end
  end_cancelled(P, cancelled, their_ends)
  return given, #losses
end

