-- Ends, retries or gives back jobs held under a lease, or notes that they have begun, all in one step.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the lease's token
-- ARGV[2]   the number of this call, unique to the lease. A call that is sent again, because its answer was lost with
--           the connection, has the same number: it gets the first answer again.
-- ARGV[3]   numbers of earlier calls whose answers have arrived, so that they need not be remembered, divided by spaces
-- ARGV[4..] for each job, no id twice: id; e (it ends), digit of its state, for how many ms its result is kept (0: not at all;
--           -1: for ever) | r (retry), in so many ms | h (hand back), to be ready in so many ms | b (it has begun), of
--           a job that claim.lua has noted as unstarted; its result; of a retry,
--           the outcome record of the try
--
-- Returns '' when all were held, else a '1' (held, done) or '0' (not held, nothing changed) for each job.
-- A job whose cancelling was requested ends as that request says instead of being retried or handed back.
-- needs: shared_basics shared_calls shared_wake shared_tell shared_ends shared_silence shared_held shared_python
local token = ARGV[1]
local settled, held, cancel = P .. 'settled:' .. token, P .. 'held:' .. token, P .. 'cancel:' .. token
local unstarted = P .. 'unstarted:' .. token
make_room()
if redis.call('HSETNX', settled, ARGV[2], '') == 0 then
  return redis.call('HGET', settled, ARGV[2])
end

local count = (#ARGV - 3) / 3
local ids, names = {}, {}
for k = 1, count do
  local id = ARGV[1 + 3 * k]
  ids[k], names[k] = id, 'arq:in-progress:' .. id
end
local holders = redis.call('MGET', unpack(names))
local unwanted = redis.call('EXISTS', cancel) == 1
local some_wait = redis.call('EXISTS', unstarted) == 1

-- The usual case, without the tables that the rest needs: all are held and end, none of them dead, and nobody
-- waits. This does what finish() does.
if redis.call('EXISTS', P .. 'waiters', P .. 'dead') == 0 then
  local all = true
  for k = 1, count do
    local what, state = string.byte(ARGV[2 + 3 * k], 1, 2)
    if holders[k] ~= token or what ~= 101 or state == 55 then -- e and 7
      all = false
      break
    end
  end
  if all then
    local call = redis.call
    for k = 1, count do
      local id, keep = ids[k], string.sub(ARGV[2 + 3 * k], 3)
      if keep == '-1' then
        call('SET', 'arq:result:' .. id, ARGV[3 + 3 * k])
      elseif keep ~= '0' then
        call('SET', 'arq:result:' .. id, ARGV[3 + 3 * k], 'PX', keep)
      end
    end
    forget(ids, names)
    call('HDEL', held, unpack(ids))
    if unwanted then
      call('HDEL', cancel, unpack(ids))
    end
    if some_wait then
      call('SREM', unstarted, unpack(ids))
    end
    return answer_with(settled, '', true)
  end
end

-- The holder's entry of a job. It is there, unless somebody else removed it.
local function kept_of(id)
  return redis.call('HGET', held, id) or moment(now) .. ' 1'
end

local gone, ended, states, outcomes, times = {}, {}, {}, {}, {}
local retried, delays, tries, back, back_kept, cancelled, requests = {}, {}, {}, {}, {}, {}, {}
local later, later_kept, later_delays, begun = {}, {}, {}, {}
for k = 1, count do
  local id, terms = ids[k], ARGV[2 + 3 * k]
  local mine = holders[k] == token
  if not holders[k] then
    local kept = redis.call('HGET', held, id)
    mine = kept and untouched(id, kept)
  end
  holders[k] = mine
  if mine then
    local what = string.sub(terms, 1, 1)
    local list = what == 'b' and begun or gone
    list[#list + 1] = id
    local request = what ~= 'e' and what ~= 'b' and unwanted and redis.call('HGET', cancel, id)
    if request then
      cancelled[#cancelled + 1], requests[#requests + 1] = id, request
    elseif what == 'e' then
      local n = #ended + 1
      ended[n], states[n], outcomes[n], times[n] = id, string.sub(terms, 2, 2), ARGV[3 + 3 * k], string.sub(terms, 3)
    elseif what == 'r' then
      retried[#retried + 1], delays[#delays + 1] = id, tonumber(string.sub(terms, 2))
      tries[#tries + 1], tries[#tries + 2] = id, ARGV[3 + 3 * k]
    elseif what == 'h' then
      local delay = tonumber(string.sub(terms, 2)) or 0
      if delay == 0 then
        back[#back + 1], back_kept[#back_kept + 1] = id, kept_of(id)
      else
        later[#later + 1], later_kept[#later_kept + 1], later_delays[#later_delays + 1] = id, kept_of(id), delay
      end
    end
  end
end

local soonest
local keys, places = {}, {}
for i, id in ipairs(retried) do
  redis.call('HSETNX', P .. 'first_due', id, string.match(kept_of(id), '^%S+'))
  keys[i] = 'arq:in-progress:' .. id
  places[2 * i - 1], places[2 * i] = moment(now + delays[i]), id
  soonest = math.min(soonest or now + delays[i], now + delays[i])
end
many('HSET', P .. 'last_tries', tries)
put_back(later, later_kept)
for i, id in ipairs(later) do
  redis.call('HSETNX', P .. 'first_due', id, string.match(later_kept[i], '^%S+'))
  places[#places + 1], places[#places + 2] = moment(now + later_delays[i]), id
  soonest = math.min(soonest or now + later_delays[i], now + later_delays[i])
end
delete(keys)
for i = 1, #places, 2000 do
  redis.call('ZADD', Q, 'XX', unpack(places, i, math.min(i + 1999, #places)))
end
put_back(back, back_kept)
finish(ended, states, outcomes, times)
finish_cancelled(cancelled, requests)
many('HDEL', held, gone)
if unwanted then
  many('HDEL', cancel, gone)
end
if some_wait then
  many('SREM', unstarted, begun)
  many('SREM', unstarted, gone)
end
if #back > 0 then
  -- It gives away jobs that it could have kept: it has no use for more.
  redis.call('ZREM', P .. 'idle', token)
  if leave_to_python(back) then
    wake_for(P, left_until())
  else
    wake(P)
  end
elseif soonest then
  wake_for(P, soonest)
end

local answer = ''
if #gone + #begun < count then
  local each = {}
  for k = 1, count do
    each[k] = holders[k] and '1' or '0'
  end
  answer = table.concat(each)
end
return answer_with(settled, answer, #gone + #begun > 0)
