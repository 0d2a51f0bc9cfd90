-- Shared: what happens when jobs end. Needs shared_tell.lua.

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

-- Removes all that is stored of these jobs but their results and graves. `names` of their in-progress keys may be given.
local function forget(ids, names)
  local keys = names or {}
  local count = #ids
  for i = 1, count do
    local id = ids[i]
    keys[i], keys[count + i], keys[2 * count + i] = names and names[i] or 'arq:in-progress:' .. id, 'arq:retry:' .. id, 'arq:job:' .. id
  end
  delete(keys)
  many('ZREM', Q, ids)
  if redis.call('EXISTS', 'arq:abort') == 1 then
    many('ZREM', 'arq:abort', ids)
  end
  if redis.call('EXISTS', P .. 'first_due') == 1 then
    many('HDEL', P .. 'first_due', ids)
  end
end

-- These jobs end in states[i] (digits of job_state) with the results outcomes[i], to be kept for times[i] ms (texts; 0: not at
-- all, -1: for ever), and those who wait are told: all that arq does at the end of a job, in one step, as its clients expect.
local function finish(ids, states, outcomes, times)
  if #ids == 0 then
    return
  end
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
  end
  forget(ids)
  tell(P, ids, states, outcomes)
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

