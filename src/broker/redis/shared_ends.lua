-- Shared: ending jobs. Needs shared_lists.lua, shared_tell.lua.

-- Removes all that is stored of these jobs but their outcomes.
local function forget(P, ids)
  many('HDEL', P .. 'jobs', ids)
  if redis.call('EXISTS', P .. 'tries') == 1 then
    many('HDEL', P .. 'tries', ids)
    many('HDEL', P .. 'last_tries', ids)
  end
end

-- Removes up to `most` kept outcomes of this state whose time is over. Returns how many there were.
local function sweep(P, state, now, most)
  local E = P .. 'ended:' .. state
  local over = redis.call('ZRANGEBYSCORE', E, '-inf', now, 'LIMIT', 0, math.min(most, 2000))
  if #over > 0 then
    redis.call('HDEL', P .. 'results', unpack(over))
    redis.call('ZREMRANGEBYRANK', E, 0, #over - 1)
  end
  return #over
end

-- Sees to it that kept outcomes go, should no worker ever come to sweep: while they are few, their keys expire with the last
-- of them, or up to an eighth of its time later, so that this is seldom set. Many that expired at once would hold the
-- server up for seconds: they wait for a worker. time: for how many ms an outcome is kept that was just added, -1: for ever.
local function limit_life(P, time)
  local R = P .. 'results'
  local keys = {R, P .. 'ended:3', P .. 'ended:4', P .. 'ended:5', P .. 'ended:6'}
  local long_enough, limited = true, {} -- a key that was made after the others had their limits set has none
  for i, key in ipairs(keys) do
    local ttl = redis.call('PTTL', key)
    long_enough = long_enough and (ttl >= time or ttl == -2)
    limited[i] = ttl >= 0
  end
  local last = 0
  if time < 0 or redis.call('HLEN', R) > 5000 then
    last = math.huge
  elseif long_enough then
    return
  else
    for i = 2, 5 do
      local its = redis.call('ZRANGE', keys[i], -1, -1, 'WITHSCORES')[2]
      last = math.max(last, its == 'inf' and math.huge or tonumber(its or 0))
    end
  end
  for i, key in ipairs(keys) do
    if last < math.huge then
      redis.call('PEXPIREAT', key, string.format('%.0f', last + math.floor(time / 8)))
    elseif limited[i] then
      redis.call('PERSIST', key)
    end
  end
end

-- Keeps outcomes: `results` are id and kept outcome in turn; `by_state` has for each state digit a list of moment and id in
-- turn; `time` is the longest for which one of them is kept. For each that comes two go whose time is over: however fast
-- jobs end, what is kept grows no further than it should.
local function keep(P, results, by_state, time)
  many('HSET', P .. 'results', results)
  local now = clock()
  for state, until_when in pairs(by_state) do
    many('ZADD', P .. 'ended:' .. state, until_when)
    sweep(P, state, now, #until_when + 32)
  end
  limit_life(P, time)
end

-- Until when an outcome is kept: for `time` ms from now, or for ever (less than 0).
local function time_over_after(now, time)
  return time < 0 and '+inf' or string.format('%.0f', now + time)
end

-- The prefix of an outcome that is kept: its state digit, and until when, ms (0: for ever).
local function kept_header(state, now, time)
  return state .. struct.pack('<I8', time < 0 and 0 or now + time)
end

-- The job's end in a cancel request (cancel.lua): its outcome, and for how many ms that is kept.
local function requested_end(its_end)
  return string.sub(its_end, 9), (struct.unpack('<i8', its_end))
end

-- The longer of two times, of which one less than 0 is endless.
local function longer(a, b)
  return (a < 0 or b < 0) and -1 or math.max(a, b)
end

-- Ends these jobs, which are in no list any more, as cancelled (5), each as its cancel request says.
local function end_cancelled(P, ids, their_ends)
  if #ids == 0 then
    return
  end
  local now = clock()
  local states, outcomes, kept, kept_until, can_ask, longest = {}, {}, {}, {}, {}, 0
  for i, id in ipairs(ids) do
    local outcome, time = requested_end(their_ends[i])
    states[i], outcomes[i] = '5', outcome
    if time ~= 0 then
      local n = #kept
      kept[n + 1], kept[n + 2] = id, kept_header('5', now, time) .. outcome
      kept_until[n + 1], kept_until[n + 2] = time_over_after(now, time), id
      can_ask[i] = true
      longest = longer(longest, time)
    end
  end
  forget(P, ids)
  if #kept > 0 then
    keep(P, kept, {['5'] = kept_until}, longest)
  end
  tell(P, ids, states, outcomes, can_ask)
end
