-- Shared: claimable jobs. Needs shared_python.lua.

-- Whether a job is due that nobody runs, and that may be claimed; and whether it is only the queue's being paused that keeps it
-- from that.
local function has_ready()
  local upto = moment(now)
  local first, size = 0, 10
  while true do
    local ids = redis.call('ZRANGEBYSCORE', Q, '-inf', upto, 'LIMIT', first, size)
    local holders = reserved_for(ids)
    for i = 1, #ids do
      if not holders[i] then
        local paused = redis.call('EXISTS', P .. 'paused') == 1
        return not paused, paused
      end
    end
    if #ids < size then
      return false, false
    end
    first, size = first + size, 1000
  end
end

-- When the next job is due that nobody runs now, ms; nil for none. Running ones stand among the deferred ones with the ends
-- of their leases; where many do, this may be too early.
local function next_due()
  local later = redis.call('ZRANGEBYSCORE', Q, '(' .. moment(now), '+inf', 'WITHSCORES', 'LIMIT', 0, 16)
  local ids = {}
  for i = 1, #later, 2 do
    ids[#ids + 1] = later[i]
  end
  local holders = holders_of(ids)
  local due = #ids == 16 and tonumber(later[32]) or nil
  for i = #ids, 1, -1 do
    due = not holders[i] and tonumber(later[2 * i]) or due
  end
  local left = left_until()
  return left and math.min(left, due or left) or due
end

