-- Shared: ending jobs. Needs shared_tell.lua.

-- Until somebody decides: the payload and the result of a job that is dead, when it died.
local function bury(id, payload, outcome)
  redis.call('ZADD', P .. 'dead', moment(now), id)
  redis.call('HSET', P .. 'dead_outcomes', id, outcome)
  if payload then
    redis.call('HSET', P .. 'dead_jobs', id, payload)
  else
    redis.call('HDEL', P .. 'dead_jobs', id)
  end
end

local function unbury(ids)
  many('ZREM', P .. 'dead', ids)
  many('HDEL', P .. 'dead_outcomes', ids)
  many('HDEL', P .. 'dead_jobs', ids)
end

-- Forgets the oldest dead jobs where there are more than `most`, and those that died more than `age` ms ago; a thousand at a
-- time. Returns how many.
local function limit_dead(most, age)
  local dead = P .. 'dead'
  local count = redis.call('ZCARD', dead)
  if count == 0 then
    return 0
  end
  local old = redis.call('ZRANGEBYSCORE', dead, '-inf', moment(now - age), 'LIMIT', 0, 1000)
  if count - #old > most and #old < 1000 then
    old = redis.call('ZRANGE', dead, 0, math.min(count - most, 1000) - 1)
  end
  unbury(old)
  return #old
end

-- Removes all that is stored of these jobs but their results and graves. `names` of their in-progress keys may be given.
--
-- Python's Job.abort() looks at the score of a job; if that is in the future, as it is for jobs that we run, it moves the job to
-- the front, in another step. If the job ends between the two, an id without a job stands there. Ours know what that is
-- (shared_aborts.lua); Python's workers would write "job expired" over the result. So for a second they find the job taken.
local function forget(ids, names)
  local keys = names or {}
  local count = #ids
  for i = 1, count do
    local id = ids[i]
    keys[i], keys[count + i], keys[2 * count + i] = names and names[i] or 'arq:in-progress:' .. id, 'arq:retry:' .. id, 'arq:job:' .. id
  end
  delete(keys)
  if redis.call('EXISTS', P .. 'python') == 1 then
    for i = 1, count do
      redis.call('SET', keys[i], tombstone, 'PX', '1000')
    end
  end
  many('ZREM', Q, ids)
  if redis.call('EXISTS', 'arq:abort') == 1 then
    many('ZREM', 'arq:abort', ids)
  end
  if redis.call('EXISTS', P .. 'first_due', P .. 'losses') > 0 then
    many('HDEL', P .. 'first_due', ids)
    many('HDEL', P .. 'last_tries', ids)
    many('HDEL', P .. 'losses', ids)
  end
end

-- These jobs end in states[i] (digits of job_state) with the results outcomes[i], to be kept for times[i] ms (texts; 0: not at
-- all, -1: for ever), and waiters are notified: all that arq does at the end of a job, in one step, as its clients expect.
-- Clients that missed the message can ask for results that are kept for a minute at least.
local function finish(ids, states, outcomes, times)
  if #ids == 0 then
    return
  end
  local can_ask = {}
  if redis.call('EXISTS', P .. 'dead') == 1 then
    unbury(ids)
  end
  for i = 1, #ids do
    local id, keep = ids[i], times[i]
    if keep == '-1' then
      redis.call('SET', 'arq:result:' .. id, outcomes[i])
    elseif keep ~= '0' then
      redis.call('SET', 'arq:result:' .. id, outcomes[i], 'PX', keep)
    end
    if states[i] == '7' then
      bury(id, redis.call('GET', 'arq:job:' .. id), outcomes[i])
    end
    can_ask[i] = states[i] == '7' or keep == '-1' or tonumber(keep) >= 60000
  end
  forget(ids)
  tell(P, ids, states, outcomes, can_ask)
end

-- Ends these jobs as cancelled, each as its cancel request says (cancel.lua).
local function finish_cancelled(ids, requests)
  local states, outcomes, times = {}, {}, {}
  for i = 1, #ids do
    local keep, outcome = string.match(requests[i], '^(%S+) (.*)$')
    states[i], outcomes[i], times[i] = '5', outcome, keep
  end
  finish(ids, states, outcomes, times)
end

