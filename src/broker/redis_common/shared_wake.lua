-- Shared: waking leases that were promised work_ready. P..idle holds them: token -> when it will claim by itself
-- (the next due time it was told; far in the future, the longest idle the farthest, when it was told none).

-- Wakes one idle lease, the one whose own time is farthest. One whose subscriber is gone is passed over; and where it may stand
-- still, another is woken, too.
local function wake(P)
  while true do
    local idle = redis.call('ZPOPMAX', P .. 'idle')
    if not idle[1] then
      return
    end
    if redis.call('PUBLISH', P .. 'lease:' .. idle[1], 'w') > 0 and not stands_still(idle[1]) then
      return
    end
  end
end

-- Sees to it that some idle lease claims at `due` at the latest.
local function wake_for(P, due)
  local soonest = redis.call('ZRANGE', P .. 'idle', 0, 0, 'WITHSCORES')
  if soonest[1] and tonumber(soonest[2]) > due then
    wake(P)
  end
end
