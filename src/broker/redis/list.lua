-- A part of the jobs in one state: ready ones in the order of their claiming, deferred ones by due time, dead ones by the time
-- they died, others that ended by the time until which they are kept.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the state, a digit of job_state
-- ARGV[2]  how many at most
-- ARGV[3]  where to go on: '' at first, then what the call before returned
--
-- Returns {where to go on, or '' if that was all; the details (shared_details.lua) of each, or its id alone}. A call looks at about
-- 500 jobs, and returns little more than 2 MiB: a running job for which no room is left is an id.
-- needs: shared_format shared_lists shared_details
local P, state, most, from = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local found, bytes, looked = {''}, 0, 0
local room = max_payload_reply / 4 -- more would hold the server up for too long

-- Whether this call may go on.
local function may_add()
  return #found <= most and bytes < room and looked < 500
end

local function add(job)
  found[#found + 1] = job
  bytes = bytes + #job[3] + #job[4]
end

-- After which place of a list to go on, where its `at`-th was `last`: workers may have taken some from its front meanwhile, or have
-- put some there. It is searched for where it may be after up to 25,000 of them, and near the front. Where it is not found,
-- mostly because it was taken itself, all of the list is looked at again.
local function place_after(list, at, last)
  if at == 0 or redis.call('LINDEX', list, at - 1) == last then
    return at
  end
  local ends = at + 999
  for _, moved in ipairs({5000, 25000}) do
    local first = math.max(0, at - moved)
    local some = first <= ends and redis.call('LRANGE', list, first, ends) or {}
    for i = #some, 1, -1 do
      if some[i] == last then
        return first + i
      end
    end
    ends = first - 1
  end
  return (redis.call('LPOS', list, last, 'MAXLEN', 100000) or -1) + 1
end

-- Adds jobs of a lease from `cursor` (SSCAN) on. Returns where to go on among them, '0' after the last.
local function add_running(token, cursor)
  repeat
    local page = redis.call('SSCAN', P .. 'running:' .. token, cursor, 'COUNT', math.min(most, 100))
    cursor = page[1]
    for _, id in ipairs(page[2]) do
      looked = looked + 1
      local stored = redis.call('HGET', P .. 'jobs', id)
      if stored and bytes < room then
        add(details(P, id, stored, state, token))
      elseif stored then
        found[#found + 1] = id
      end
    end
  until cursor == '0' or not may_add()
  return cursor
end

if state == '0' then
  -- `from` is a priority, how many of its list were looked at, and the last of them.
  local priority, at, last = string.match(from, '^(%d) (%d+) (.*)$')
  priority, at, last = tonumber(priority or 9), tonumber(at or 0), last or ''
  at = place_after(P .. 'ready:' .. priority, at, last)
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
      done, last = i, id
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
  found[1] = priority >= 0 and priority .. ' ' .. at .. ' ' .. last or ''
elseif state == '2' then
  -- `from` is where to go on among the jobs of a lease, '-' after the last, when that lease was opened, and its token.
  local cursor, opened, token = string.match(from, '^(%S+) (%S+) (.*)$')
  local L = P .. 'leases'
  local rank = token and redis.call('ZRANK', L, token)
  if rank and cursor == '-' then
    rank, cursor = rank + 1, '0'
  elseif not rank then
    rank, cursor = opened and redis.call('ZCOUNT', L, '-inf', '(' .. opened) or 0, '0'
  end
  local leases = redis.call('ZRANGE', L, rank, rank + 99, 'WITHSCORES')
  for i = 1, #leases, 2 do
    if not may_add() then
      break
    end
    token, opened = leases[i], leases[i + 1]
    cursor = add_running(token, cursor)
    found[1] = (cursor == '0' and '-' or cursor) .. ' ' .. opened .. ' ' .. token
    if cursor == '0' and i == #leases - 1 and #leases < 200 then
      found[1] = ''
    end
  end
else
  -- `from` is the score and member of a sorted set that were looked at last.
  local Z = state == '1' and P .. 'deferred' or state == '7' and P .. 'dead' or P .. 'ended:' .. state
  local is_kept = state ~= '1' and state ~= '7'
  local score, member = string.match(from, '^(%S+) (.*)$')
  -- It may have gone meanwhile, or stand elsewhere.
  local rank = member and redis.call('ZSCORE', Z, member) == score and redis.call('ZRANK', Z, member)
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
