-- Ends, retries or gives back jobs held under a lease, or notes that they have begun, all in one step.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the lease's token
-- ARGV[2]   the number of this call, unique to the lease. A call that is sent again, because its answer was lost with
--           the connection, has the same number: it gets the first answer again.
-- ARGV[3]   numbers of earlier calls whose answers have arrived, so that they need not be remembered, divided by spaces
-- ARGV[4]   the decision for all of them (see below), or ''
-- ARGV[5..] for each job, no id twice: id, outcome (of a retry: that of the try that failed), and if ARGV[4] is '':
--           struct '<BBi8': 0 end | 1 retry | 2 hand back | 3 end, of which only that it succeeded is kept | 4 it has
--           begun, where claim.lua has noted it as unstarted; job_state if it ends; for how many ms its outcome is kept
--           (-1: for ever), or until it is tried again or is ready again
--
-- Returns '' when all were held, else a '1' (held, done) or '0' (not held, nothing changed) for each job.
-- A job whose cancelling was requested ends as that request says instead of being retried or handed back. A lease that
-- hands back is not idle any more: it has no use for pushed jobs.
-- needs: shared_calls
local P, token, common = KEYS[1], ARGV[1], ARGV[4]
local settled = P .. 'settled:' .. token
local running, cancel, unstarted = P .. 'running:' .. token, P .. 'cancel:' .. token, P .. 'unstarted:' .. token
local earlier = redis.call('HGET', settled, ARGV[2])
if earlier then
  return earlier
end

-- The first write frees memory, here and below: a server whose memory is full lets such a script go on.

-- One job that ends otherwise than dead: the path of clients that await their own jobs. It stands before the functions that
-- the rest needs, because they cost time in each call. Each sixteenth call goes the long way, where outcomes are removed
-- whose time is over.
if #ARGV == 6 and common ~= '' and #ARGV[6] <= max_shared_payload then
  local what, into, time = struct.unpack('<BBi8', common)
  local state_for = what == 3 and time
  if state_for then
    what, time = 0, 0
  end
  local id, outcome = ARGV[5], ARGV[6]
  local R = P .. 'results'
  local short = what == 0 and into ~= 7 and time >= 0 and redis.call('EXISTS', cancel, unstarted) == 0
  if short and time > 0 then
    local ttl = redis.call('PTTL', P .. 'ended:' .. into) -- limit_life in shared_ends.lua
    short = ARGV[2] % 16 ~= 0 and (ttl >= time or (ttl == -1 and redis.call('HLEN', R) > 5000))
  end
  local waiters = P .. 'waiters'
  local clients = short and redis.call('HGET', waiters, id)
  if short and clients ~= '*' then
    if redis.call('SREM', running, id) == 0 then
      return answer_with(settled, '0', false)
    end
    redis.call('HDEL', P .. 'jobs', id)
    if redis.call('HDEL', P .. 'tries', id) == 1 then
      redis.call('HDEL', P .. 'last_tries', id)
    end
    if state_for then
      local t = redis.call('TIME')
      local n = math.ceil((t[1] * 1000 + math.floor(t[2] / 1000) + math.min(state_for, 60000)) / 4000) -- shared_successes.lua
      redis.call('SADD', P .. 'succeeded:' .. n, id)
      redis.call('PEXPIREAT', P .. 'succeeded:' .. n, string.format('%.0f', (n + 2) * 4000))
    elseif time > 0 then
      local t = redis.call('TIME')
      local until_when = t[1] * 1000 + math.floor(t[2] / 1000) + time
      redis.call('HSET', R, id, into .. struct.pack('<I8', until_when) .. outcome)
      redis.call('ZADD', P .. 'ended:' .. into, string.format('%.0f', until_when), id)
    end
    if clients then
      local letter = struct.pack('>I2', #id) .. id .. into .. struct.pack('>I4', #outcome) .. outcome
      for at = 1, #clients, 26 do
        local client = string.sub(clients, at, at + 25)
        if redis.call('PUBLISH', P .. 'client:' .. client, letter) == 0 and time == 0 then
          redis.call('HSET', P .. 'mail:' .. client, id, into .. outcome)
          redis.call('PEXPIRE', P .. 'mail:' .. client, 60000)
        end
      end
      redis.call('HDEL', waiters, id)
    end
    return answer_with(settled, '', true)
  end
end

-- needs: shared_lists shared_wake shared_tell shared_ends shared_successes
local step = common ~= '' and 2 or 3
local count = (#ARGV - 4) / step
local ids = {}
for k = 1, count do
  ids[k] = ARGV[5 + (k - 1) * step]
end
local held = redis.call('SMISMEMBER', running, unpack(ids))
local unwanted = redis.call('EXISTS', cancel) == 1
local some_wait = redis.call('EXISTS', unstarted) == 1
local now = clock()

-- The usual case, without building the tables that the rest needs: all succeeded (or ended alike), all were
-- held, nobody waits.
if common ~= '' and redis.call('EXISTS', P .. 'waiters') == 0 then
  local what, into, time = struct.unpack('<BBi8', common)
  local all = (what == 0 or what == 3) and into ~= 7
  for k = 1, count do
    all = all and held[k] == 1
  end
  if all then
    redis.call('SREM', running, unpack(ids))
    if unwanted then
      redis.call('HDEL', cancel, unpack(ids))
    end
    if some_wait then
      redis.call('SREM', unstarted, unpack(ids))
    end
    forget(P, ids)
    if what == 3 then
      keep_successes(P, ids, now, time)
    elseif time ~= 0 then
      local time_over, header = time_over_after(now, time), kept_header(into, now, time)
      local kept, kept_until = {}, {}
      for k = 1, count do
        kept[2 * k - 1], kept[2 * k] = ids[k], header .. ARGV[4 + 2 * k]
        kept_until[2 * k - 1], kept_until[2 * k] = time_over, ids[k]
      end
      keep(P, kept, {[into] = kept_until}, time)
    end
    return answer_with(settled, '', true)
  end
end

local gone, refused = {}, false
local ended, states, outcomes, finished, succeeded, kept, kept_until, can_ask = {}, {}, {}, {}, {}, {}, {}, {}
local dead, dead_outcomes, tried, last_tries, deferred, front = {}, {}, {}, {}, {}, {}
local cancelled, their_ends, begun = {}, {}, {}
local soonest
local longest = 0

local meta, what, into, time, time_over, header
for k = 1, count do
  local id = ids[k]
  if held[k] == 0 then
    refused = true
  else
    local this = step == 2 and common or ARGV[7 + (k - 1) * step]
    if this ~= meta then
      meta = this
      what, into, time = struct.unpack('<BBi8', meta)
      time_over, header = time_over_after(now, time), kept_header(into, now, time)
    end
    local list = what == 4 and begun or gone
    list[#list + 1] = id
    local its_end = (what == 1 or what == 2) and unwanted and redis.call('HGET', cancel, id)
    if its_end then
      cancelled[#cancelled + 1], their_ends[#their_ends + 1] = id, its_end
    elseif what == 0 or what == 3 then
      local n = #ended + 1
      ended[n], states[n], outcomes[n] = id, into, ARGV[6 + (k - 1) * step]
      if into == 7 then
        can_ask[n] = true
        dead[#dead + 1], dead[#dead + 2] = now, id
        dead_outcomes[#dead_outcomes + 1], dead_outcomes[#dead_outcomes + 2] = id, outcomes[n]
        tried[#tried + 1] = id
      else
        finished[#finished + 1] = id
        if what == 3 then
          can_ask[n] = true
          succeeded[#succeeded + 1] = id
        elseif time ~= 0 then
          can_ask[n] = true
          kept[#kept + 1], kept[#kept + 2] = id, header .. outcomes[n]
          local its = kept_until[into] or {}
          kept_until[into] = its
          its[#its + 1], its[#its + 2] = time_over, id
          longest = longer(longest, time)
        end
      end
    elseif what == 1 then
      deferred[#deferred + 1], deferred[#deferred + 2] = time_over, priority_of(P, id) .. id
      tried[#tried + 1] = id
      last_tries[#last_tries + 1], last_tries[#last_tries + 2] = id, ARGV[6 + (k - 1) * step]
      soonest = math.min(soonest or now + time, now + time)
    elseif what == 2 and time > 0 then
      deferred[#deferred + 1], deferred[#deferred + 2] = time_over, priority_of(P, id) .. id
      soonest = math.min(soonest or now + time, now + time)
    elseif what == 2 then
      local priority = priority_of(P, id)
      front[priority] = front[priority] or {}
      table.insert(front[priority], 1, id) -- pushed one by one to the front: the first of the batch must come last
    end
  end
end

many('SREM', running, gone)
if unwanted then
  many('HDEL', cancel, gone)
end
if some_wait then
  many('SREM', unstarted, begun)
  many('SREM', unstarted, gone)
end
if #finished > 0 then
  forget(P, finished)
end
if #kept > 0 then
  keep(P, kept, kept_until, longest)
end
if #succeeded > 0 then
  keep_successes(P, succeeded, now, 60000)
end
many('ZADD', P .. 'dead', dead)
many('HSET', P .. 'dead_outcomes', dead_outcomes)
many('HSET', P .. 'last_tries', last_tries)
for _, id in ipairs(tried) do
  redis.call('HINCRBY', P .. 'tries', id, 1)
end
many('ZADD', P .. 'deferred', deferred)
for priority, list in pairs(front) do
  many('LPUSH', P .. 'ready:' .. priority, list)
end
tell(P, ended, states, outcomes, can_ask)
end_cancelled(P, cancelled, their_ends)
if next(front) then
  redis.call('ZREM', P .. 'idle', token)
  wake(P)
elseif soonest then
  wake_for(P, soonest)
end

if not refused then
  return answer_with(settled, '', true)
end
local answer = {}
for k = 1, count do
  answer[k] = held[k] == 1 and '1' or '0'
end
return answer_with(settled, table.concat(answer), #gone + #begun > 0)
