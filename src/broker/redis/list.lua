-- Jobs in one state: ready ones in the order of their claiming, deferred ones by due time, dead ones by the time they died,
-- others that ended by the time until which they are kept.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the state, a digit of job_state
-- ARGV[2]  how many at most
--
-- Returns the details (shared_details.lua) of each.
-- needs: shared_format shared_lists shared_details
local P, state, most = KEYS[1], ARGV[1], tonumber(ARGV[2])
local found = {}

local function add(id, more)
  local stored = redis.call('HGET', P .. 'jobs', id)
  if stored and #found < most then
    found[#found + 1] = details(P, id, stored, state, more)
  end
end

if most == 0 then
  return found
elseif state == '0' then
  for _, list in ipairs({ready_lists(P)}) do
    for _, id in ipairs(redis.call('LRANGE', list, 0, most - #found - 1)) do
      add(id)
    end
    if #found >= most then
      break
    end
  end
elseif state == '1' then
  local entries = redis.call('ZRANGE', P .. 'deferred', 0, most - 1, 'WITHSCORES')
  for i = 1, #entries, 2 do
    add(string.sub(entries[i], 2), entries[i + 1])
  end
elseif state == '2' then
  for _, token in ipairs(redis.call('ZRANGE', P .. 'leases', 0, -1)) do
    for _, id in ipairs(redis.call('SMEMBERS', P .. 'running:' .. token)) do
      add(id, token)
    end
  end
elseif state == '7' then
  for _, id in ipairs(redis.call('ZRANGE', P .. 'dead', 0, most - 1)) do
    add(id)
  end
else
  local now, from = clock(), 0
  while #found < most do
    local ids = redis.call('ZRANGEBYSCORE', P .. 'results_until', '(' .. now, '+inf', 'LIMIT', from, 1000)
    if #ids == 0 then
      break
    end
    for k, result in ipairs(redis.call('HMGET', P .. 'results', unpack(ids))) do
      if result and string.sub(result, 1, 1) == state and #found < most then
        found[#found + 1] = ended_details(ids[k], result)
      end
    end
    from = from + #ids
  end
end
return found
