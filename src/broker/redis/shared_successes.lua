-- Shared: jobs of which only that they succeeded is kept, for up to a minute: their ids, in one set for all whose time is over in
-- the same 4 s. A set goes as a whole, so a job costs nothing when it goes. P..succeeded:N is over when 4000 * N ms have passed.

-- Keeps these ids for `time` ms and up to 4 s more. Should no worker come to remove them, the key expires.
local function keep_successes(P, ids, now, time)
  local n = math.ceil((now + math.min(time, 60000)) / 4000)
  local key = P .. 'succeeded:' .. n
  many('SADD', key, ids)
  redis.call('PEXPIREAT', key, string.format('%.0f', (n + 2) * 4000))
end

-- The sets whose time is not over.
local function success_sets(P, now)
  local keys = {}
  for n = math.floor(now / 4000) + 1, math.ceil((now + 60000) / 4000) do
    keys[#keys + 1] = P .. 'succeeded:' .. n
  end
  return keys
end

local function has_succeeded(P, id, now)
  for _, key in ipairs(success_sets(P, now)) do
    if redis.call('SISMEMBER', key, id) == 1 then
      return true
    end
  end
  return false
end

local function count_successes(P, now)
  local count = 0
  for _, key in ipairs(success_sets(P, now)) do
    count = count + redis.call('SCARD', key)
  end
  return count
end

-- Removes the sets whose time is over. (Older ones have expired.)
local function remove_old_successes(P, now)
  local last = math.floor(now / 4000)
  redis.call('UNLINK', P .. 'succeeded:' .. last - 2, P .. 'succeeded:' .. last - 1, P .. 'succeeded:' .. last)
end
