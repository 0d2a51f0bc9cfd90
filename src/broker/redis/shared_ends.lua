-- Shared: what happens when jobs end. Needs shared_lists.lua, shared_tell.lua.

-- Removes all that is stored of these jobs but their outcomes.
local function forget(P, ids)
  many('HDEL', P .. 'jobs', ids)
  if redis.call('EXISTS', P .. 'tries') == 1 then
    many('HDEL', P .. 'tries', ids)
  end
end

-- Keeps outcomes: `results` are id, state digit and outcome in turn, `until_when` moment and id in turn. Both keys live as
-- long as the last of what they hold, should no worker ever come to tidy up (renew.lua).
local function keep(P, results, until_when)
  local R, U = P .. 'results', P .. 'results_until'
  many('HSET', R, results)
  many('ZADD', U, until_when)
  local last = redis.call('ZRANGE', U, -1, -1, 'WITHSCORES')[2]
  if last == 'inf' then
    redis.call('PERSIST', R)
    redis.call('PERSIST', U)
  else
    redis.call('PEXPIREAT', R, last)
    redis.call('PEXPIREAT', U, last)
  end
end

-- Until when an outcome is kept: for `time` ms from now, or for ever (less than 0).
local function time_over_after(now, time)
  return time < 0 and '+inf' or string.format('%.0f', now + time)
end

-- What a cancel request says of the job's end (cancel.lua): its outcome, and for how many ms that is kept.
local function requested_end(its_end)
  return string.sub(its_end, 9), (struct.unpack('<i8', its_end))
end

-- Ends these jobs, which are in no list any more, as cancelled (5), each as its cancel request says.
local function end_cancelled(P, ids, their_ends)
  if #ids == 0 then
    return
  end
  local now = clock()
  local states, outcomes, kept, kept_until = {}, {}, {}, {}
  for i, id in ipairs(ids) do
    local outcome, time = requested_end(their_ends[i])
    states[i], outcomes[i] = '5', outcome
    if time ~= 0 then
      local n = #kept
      kept[n + 1], kept[n + 2] = id, '5' .. outcome
      kept_until[n + 1], kept_until[n + 2] = time_over_after(now, time), id
    end
  end
  forget(P, ids)
  if #kept > 0 then
    keep(P, kept, kept_until)
  end
  tell(P, ids, states, outcomes)
end
