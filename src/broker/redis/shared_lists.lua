-- Shared: pasted before the scripts that need it.

-- Calls `command key item...` for all of `list`, in pieces that unpack() and Lua's stack can take.
local function many(command, key, list)
  for i = 1, #list, 5000 do
    redis.call(command, key, unpack(list, i, math.min(i + 4999, #list)))
  end
end

-- The broker's clock, in whole milliseconds of Unix time.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- The ten ready lists, highest priority first.
local function ready_lists(P)
  local R = P .. 'ready:'
  return R .. '9', R .. '8', R .. '7', R .. '6', R .. '5', R .. '4', R .. '3', R .. '2', R .. '1', R .. '0'
end

-- The priority of a stored job: the last byte of its header (docs/redis_layout.md).
local function priority_of(P, id)
  local stored = redis.call('HGET', P .. 'jobs', id)
  return stored and string.byte(stored, 25) or 5
end
