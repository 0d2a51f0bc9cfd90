-- A part of the jobs in one state: ready ones in the order of their claiming, deferred ones by due time, dead ones by the time
-- they died, others that ended by the time until which they are kept.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the state, a digit of job_state
-- ARGV[2]  how many at most
-- ARGV[3]  where to go on: '' at first, then what the call before returned
--
-- Returns {where to go on, or '' if that was all; the details (shared_details.lua) of each}. A call looks at up to 500 jobs, and
-- returns little more than max_payload_reply bytes.
-- needs: shared_format shared_lists shared_details
local P, state, most, from = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local found, bytes, looked = {''}, 0, 0

-- Whether this call may go on.
local function may_add()
  return #found <= most and bytes < max_payload_reply and looked < 500
end

local function add(job)
  found[#found + 1] = job
  bytes = bytes + #job[3] + #job[4]
end

-- Adds the jobs of a lease, but the first `skip`. Returns where to go on among them, or nil after the last.
local function add_running(token, skip)
  local ids = redis.call('SMEMBERS', P .. 'running:' .. token)
  for i = skip + 1, #ids do
    if not may_add() then
      return i - 1
    end
    looked = looked + 1
    local stored = redis.call('HGET', P .. 'jobs', ids[i])
    if stored then
      add(details(P, ids[i], stored, state, token))
    end
  end
end

if state == '0' then
  -- `from` is a priority and how many of its list were looked at.
  local priority, at = tonumber(string.sub(from, 1, 1)) or 9, tonumber(string.sub(from, 3)) or 0
  local marks = {} -- how often an id stands there for nothing (without_cancelled)
  while priority >= 0 and may_add() do
    local some = redis.call('LRANGE', P .. 'ready:' .. priority, at, at + 99)
    local names = {}
    for i, id in ipairs(some) do
      names[i] = priority .. id
    end
    local counts = #some > 0 and redis.call('HMGET', P .. 'cancelled', unpack(names)) or {}
    local done = 0
    for i, id in ipairs(some) do
      if not may_add() then
        break
      end
      done = i
      looked = looked + 1
      marks[names[i]] = marks[names[i]] or tonumber(counts[i] or 0)
      local stored = marks[names[i]] == 0 and redis.call('HGET', P .. 'jobs', id)
      marks[names[i]] = math.max(0, marks[names[i]] - 1)
      if stored then
        add(details(P, id, stored, state))
      end
    end
    at = at + done
    if #some < 100 and done == #some then
      priority, at = priority - 1, 0
    end
  end
  found[1] = priority >= 0 and priority .. ' ' .. at or ''
elseif state == '2' then
  -- `from` is how many of all leases' jobs were looked at.
  local skip, passed = tonumber(from) or 0, 0
  for _, token in ipairs(redis.call('ZRANGE', P .. 'leases', 0, -1)) do
    local count = redis.call('SCARD', P .. 'running:' .. token)
    local at = passed + count > skip and add_running(token, math.max(0, skip - passed))
    if at then
      found[1] = string.format('%.0f', passed + at)
      break
    end
    passed = passed + count
  end
else
  -- `from` is the score and member of a sorted set that were looked at last.
  local Z = state == '1' and P .. 'deferred' or state == '7' and P .. 'dead' or P .. 'ended:' .. state
  local is_kept = state ~= '1' and state ~= '7'
  local score, member = string.match(from, '^(%S+) (.*)$')
  local rank = member and redis.call('ZRANK', Z, member)
  if rank then
    rank = rank + 1
  elseif score then
    rank = redis.call('ZCOUNT', Z, '-inf', '(' .. score)
  else
    rank = is_kept and redis.call('ZCOUNT', Z, '-inf', clock()) or 0
  end
  local some = redis.call('ZRANGE', Z, rank, rank + 499, 'WITHSCORES')
  for i = 1, #some, 2 do
    if not may_add() then
      break
    end
    looked = looked + 1
    member, score = some[i], some[i + 1]
    if is_kept then
      local kept = redis.call('HGET', P .. 'results', member)
      if kept then
        add(ended_details(member, state, string.sub(kept, 10)))
      end
    else
      local id = state == '1' and string.sub(member, 2) or member
      local stored = redis.call('HGET', P .. 'jobs', id)
      if stored then
        add(details(P, id, stored, state, score))
      end
    end
  end
  if looked * 2 < #some or #some == 1000 then
    found[1] = score .. ' ' .. member
  end
end
return found
