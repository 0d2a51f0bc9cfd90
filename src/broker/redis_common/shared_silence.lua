-- Shared: judging a while in which no lease was renewed.

-- How long, ms, nobody can be silent who renews a lease of `duration`: at least once a second, and those with short leases four
-- times in each.
local function moment_of(duration)
  return math.max(500, math.min(2500, math.floor(duration / 2)))
end

-- `silence`: for how many ms nobody was heard. Less than nothing, by more than a moment's imprecision: the clock was set back.
local function was_set_back(silence)
  return silence < -1000
end

-- Whether nobody could be heard, because the server or the network stood still, or the clock was set. After a minute (or two
-- leases) there was nobody.
local function is_outage(silence, duration)
  return was_set_back(silence) or (silence > moment_of(duration) and silence < math.max(60000, 2 * duration))
end

-- Those of `leases` (a sorted set: token -> when it runs out, ms; 0: for good) that are to run out at `at`: those that would
-- before; where the clock was set back, all, or some would never.
local function leases_to_extend(leases, silence, at)
  return redis.call('ZRANGEBYSCORE', leases, '(0', was_set_back(silence) and '+inf' or at)
end

