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

-- By how much, ms, one that opens a lease after a silence extends those of others: it says less than one that renews, as the
-- others may have died long ago. Sentinels tell each other of a new master every two seconds, so that some workers come to it
-- that much later than the first.
local function grace_of(duration)
  return math.min(duration, moment_of(duration) + 2000)
end

-- Whether nobody could be heard, because the server or the network stood still, or the clock was set. After a minute (or two
-- leases) there was nobody.
local function is_outage(silence, duration)
  return was_set_back(silence) or (silence > moment_of(duration) and silence < math.max(60000, 2 * duration))
end

-- How often in a row a lease is extended whose worker is not heard itself. One that died is found all the same where the others are
-- always heard after long pauses, as on a machine that is too busy.
local most_spared = 5

-- Those of `leases` (a sorted set: token -> when it runs out, ms; 0: for good) that are to run out at `at`: those that would
-- before; where the clock was set back, all, or some would never. But not those that were spared too often since they were renewed.
-- `spared`: a hash, token -> how often, a space, until when. `mine`: the one that is heard now; it counts as renewed.
local function leases_to_extend(leases, spared, mine, silence, at)
  local some = redis.call('ZRANGEBYSCORE', leases, '(0', was_set_back(silence) and '+inf' or at, 'WITHSCORES')
  local found = {}
  for i = 1, #some, 2 do
    local token, times = some[i], 1
    local earlier, ends = string.match(redis.call('HGET', spared, token) or '', '^(%d+) (%S+)$')
    if earlier and tonumber(ends) == tonumber(some[i + 1]) then
      times = earlier + 1
    end
    if token == mine then
      found[#found + 1] = token
    elseif times <= most_spared then
      found[#found + 1] = token
      redis.call('HSET', spared, token, string.format('%d %.17g', times, at))
    end
  end
  return found
end

