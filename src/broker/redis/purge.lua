-- Forgets jobs in one state (not running). Those who wait for them are told that there is no such job.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the state, a digit of job_state
--
-- Returns how many were forgotten; 1000 or more: there may be others.
-- needs: shared_format shared_lists shared_tell shared_ends
local P, state = KEYS[1], ARGV[1]
local ids = {}
if state == '0' then
  for _, list in ipairs({ready_lists(P)}) do
    for _, id in ipairs(#ids < 1000 and redis.call('LPOP', list, 1000 - #ids) or {}) do
      ids[#ids + 1] = id
    end
  end
elseif state == '1' then
  local entries = redis.call('ZRANGE', P .. 'deferred', 0, 999)
  for k, entry in ipairs(entries) do
    ids[k] = string.sub(entry, 2)
  end
  many('ZREM', P .. 'deferred', entries)
elseif state == '7' then
  ids = redis.call('ZRANGE', P .. 'dead', 0, 999)
  many('ZREM', P .. 'dead', ids)
  many('HDEL', P .. 'dead_outcomes', ids)
else
  local now, from, gone = clock(), 0, {}
  while #gone < 1000 do
    local some = redis.call('ZRANGEBYSCORE', P .. 'results_until', '(' .. now, '+inf', 'LIMIT', from, 1000)
    if #some == 0 then
      break
    end
    for k, result in ipairs(redis.call('HMGET', P .. 'results', unpack(some))) do
      if result and string.sub(result, 1, 1) == state then
        gone[#gone + 1] = some[k]
      end
    end
    from = from + #some
  end
  many('HDEL', P .. 'results', gone)
  many('ZREM', P .. 'results_until', gone)
  return #gone
end
forget(P, ids)
local states, outcomes = {}, {}
for k = 1, #ids do
  states[k], outcomes[k] = '-', ''
end
tell(P, ids, states, outcomes)
return #ids
