-- Shared: when workers were heard, and until when their leases last. These few functions stand by themselves because each
-- function of a script costs time in each of its calls.

-- A sorted set: token -> when the lease runs out, ms; 0: it has run out, and not all it held has been given back yet.
local leases = 'quarq:leases'

-- How long, ms, nobody can be silent who renews a lease of `duration`: at least once a second, and those with short leases four
-- times in each.
local function moment_of(duration)
  return math.max(500, math.min(2500, math.floor(duration / 2)))
end

-- Whether nobody was heard for longer: then nobody could renew, because the server or the network stood still. After a minute
-- (or two leases) there was nobody.
local function was_silent(now, duration)
  local last_heard = redis.call('HGET', 'quarq:heard', '')
  local silence = last_heard and now - last_heard or 0
  return silence > moment_of(duration) and silence < math.max(60000, 2 * duration)
end

-- Gives each lease that has not run out for good until `at` at least.
local function extend_all(at)
  for _, each in ipairs(redis.call('ZRANGEBYSCORE', leases, '(0', at)) do
    redis.call('ZADD', leases, at, each)
  end
end

-- Notes that a lease was heard, and with it, under no name, that any was; and lets it live for as long again.
local function note_heard(token, now, duration)
  local at = string.format('%.0f', now)
  redis.call('HSET', 'quarq:heard', token, at, '', at)
  redis.call('ZADD', leases, string.format('%.0f', now + duration), token)
end

