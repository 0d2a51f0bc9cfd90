-- Shared: reading the counts of what happened.

-- For each of `count` minutes from `first` on: {task, its counts (shared_stats.lua), ...}, where a task may stand twice: how many
-- of its jobs were enqueued is counted apart (shared_enqueued.lua).
local function read_minutes(P, first, count)
  local found = {}
  for i = 1, count do
    local minute = string.format('%d', first + i - 1)
    local all = redis.call('HGETALL', P .. 'stats:' .. minute)
    local enqueued = redis.call('HGETALL', P .. 'stats:enqueued:' .. minute)
    for k = 1, #enqueued, 2 do
      all[#all + 1], all[#all + 2] = enqueued[k], cmsgpack.pack({0, tonumber(enqueued[k + 1])})
    end
    found[i] = all
  end
  return found
end
