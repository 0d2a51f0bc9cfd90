-- Shared: pasted before the scripts that need it.

-- Calls `command key item...` for all of `list`, in pieces that unpack() and Lua's stack can take.
local function many(command, key, list)
  for i = 1, #list, 5000 do
    redis.call(command, key, unpack(list, i, math.min(i + 4999, #list)))
  end
end

-- P..tries has both for a job: its attempts, and in the bits above how often it was lost with its worker.
local one_loss = 1048576

-- The broker's clock, in whole milliseconds of Unix time.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Whether the worker of a lease has missed its last renewal. Each renews once a second; of more than 500 each less often
-- (workers/lease_renewer.cpp).
local function stands_still(token)
  local heard = redis.call('HGET', 'quarq:heard', token)
  local silence = heard and clock() - heard
  return heard and silence >= 1500 and silence >= 3 * redis.call('ZCARD', 'quarq:leases')
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

-- A server whose memory is full refuses a script whose first write may need some, and lets a script go on that began with
-- another. Called first by scripts that must not wait for memory, because jobs end by them.
local function make_room(P)
  redis.call('DEL', P .. 'none')
end

-- A cancelled job stays in its ready list, where to search for it would take long; P..cancelled says how often each
-- priority and id stands there for nothing, and with '' how many there are in all. Returns the others of `ids`, which were
-- just taken from the list of this priority.
local function without_cancelled(P, ids, priority)
  local key = P .. 'cancelled'
  local fields = {}
  for i, id in ipairs(ids) do
    fields[i] = priority .. id
  end
  local marks = redis.call('HMGET', key, unpack(fields))
  local left = {}
  for i, id in ipairs(ids) do
    -- Asked for again: the same id may have stood there twice.
    if marks[i] and redis.call('HEXISTS', key, fields[i]) == 1 then
      if redis.call('HINCRBY', key, fields[i], -1) <= 0 then
        redis.call('HDEL', key, fields[i])
      end
      if redis.call('HINCRBY', key, '', -1) <= 0 then
        redis.call('DEL', key)
      end
    else
      left[#left + 1] = id
    end
  end
  return left
end
