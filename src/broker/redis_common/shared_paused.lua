-- Shared: paused queues. P..paused is there while the queue is paused: a sorted set, in which '' stands with the moment, ms, and the
-- tokens of the leases that were promised work_ready. These are not in P..idle meanwhile, so scripts that would wake a lease find
-- none, and looks for nothing more.

-- Pauses the queue, or resumes it. Returns 1 if it was otherwise before, else 0.
local function set_paused(P, wanted)
  local key, idle = P .. 'paused', P .. 'idle'
  if wanted == (redis.call('EXISTS', key) == 1) then
    return 0
  end
  if wanted then
    if redis.call('EXISTS', idle) == 1 then
      redis.call('RENAME', idle, key)
    end
    local time = redis.call('TIME')
    redis.call('ZADD', key, string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), '')
    return 1
  end
  local tokens = redis.call('ZRANGE', key, 0, -1)
  redis.call('DEL', key)
  for _, token in ipairs(tokens) do
    if token ~= '' then
      redis.call('PUBLISH', P .. 'lease:' .. token, 'w')
    end
  end
  return 1
end
