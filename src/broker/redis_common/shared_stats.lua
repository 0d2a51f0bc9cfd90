-- Shared: counts of what happens. P..'stats:'..minute (of Unix time) is a hash: task -> msgpack array of positions and numbers in
-- turn (broker/stats_codec.hpp). P is the prefix of all keys (broker/arq pastes this too).

-- The minute of a moment in ms, as text.
local function minute_of(now)
  return string.format('%d', math.floor(now / 60000))
end

-- Adds an array of that form. Beyond fifty tasks of a minute the others are counted together.
local function add_counts(P, minute, task, more)
  local key = P .. 'stats:' .. minute
  local known = redis.call('HGET', key, task)
  if not known and redis.call('HLEN', key) >= 50 then
    task = '*'
    known = redis.call('HGET', key, task)
  end
  local sums = {}
  for _, list in ipairs({known and cmsgpack.unpack(known) or {}, more}) do
    for i = 1, #list, 2 do
      sums[list[i]] = (sums[list[i]] or 0) + list[i + 1]
    end
  end
  local flat = {}
  for position, number in pairs(sums) do
    flat[#flat + 1], flat[#flat + 2] = position, number
  end
  redis.call('HSET', key, task, cmsgpack.pack(flat))
  if not known then
    redis.call('EXPIREAT', key, string.format('%d', (minute + 1) * 60 + 259200)) -- 72 h
  end
end

-- Jobs that were lost with their worker, of whatever task.
local function count_lost(P, now, count)
  if count > 0 then
    add_counts(P, minute_of(now), '', {8, count})
  end
end
