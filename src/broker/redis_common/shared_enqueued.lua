-- Shared: how many jobs were accepted. P..'stats:enqueued:'..minute (of Unix time) is a hash: task -> how many. It stands apart from
-- the other counts (shared_stats.lua) because each call that enqueues adds to it, and this is the cheapest way.
local function count_enqueued(P, now, task, count)
  local minute = math.floor(now / 60000)
  local key = P .. 'stats:enqueued:' .. string.format('%d', minute)
  if redis.call('HINCRBY', key, task, count) == count then
    if redis.call('HLEN', key) > 50 and task ~= '*' then -- as in shared_stats.lua
      redis.call('HDEL', key, task)
      redis.call('HINCRBY', key, '*', count)
    end
    redis.call('EXPIREAT', key, string.format('%d', (minute + 1) * 60 + 259200)) -- 72 h
  end
end
