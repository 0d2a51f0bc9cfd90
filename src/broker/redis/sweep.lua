-- Removes some of the expired data: outcomes that were kept for their time, and dead jobs beyond the bounds of the dead set.
-- Called after each renewal, and again while there is more, so that no call takes long.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  how many dead jobs are kept; the older ones go
-- ARGV[2]  for how many ms a dead job is kept
--
-- Returns {1 if there is more, else 0; how many dead jobs were removed}
-- needs: shared_format shared_lists shared_tell shared_ends shared_successes
local P = KEYS[1]
local now = clock()
local most = 500
remove_old_successes(P, now)

local gone, more = 0, 0
for state = 3, 6 do
  local some = sweep(P, state, now, most)
  gone = gone + some
  more = some == most and 1 or more
end
if gone > 0 then
  limit_life(P, 0)
end

local D = P .. 'dead'
local excess = math.max(0, redis.call('ZCARD', D) - ARGV[1], redis.call('ZCOUNT', D, '-inf', now - ARGV[2]))
local ids = excess > 0 and redis.call('ZRANGE', D, 0, math.min(excess, most) - 1) or {}
if #ids > 0 then
  redis.call('ZREM', D, unpack(ids))
  redis.call('HDEL', P .. 'dead_outcomes', unpack(ids))
  forget(P, ids)
  more = excess > #ids and 1 or more
end
return {more, #ids}
