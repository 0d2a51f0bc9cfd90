-- Shared: the jobs held under leases. Needs shared_ends.lua, shared_wake.lua, shared_silence.lua; taking back lost ones, shared_stats.lua.

-- How long a job is kept from others after it was claimed or renewed: longer than the lease, so that quarq's workers, which
-- know where it stood in the queue, take a lost worker's jobs back before Python's find them.
local function protected_ms(duration)
  return math.floor(duration * 4 / 3) + 1
end

-- Whether a job whose in-progress key is gone is still its holder's: nobody has started it since. `kept` is what the holder
-- has in its hash.
local function untouched(id, kept)
  return redis.call('GET', 'arq:retry:' .. id) == string.match(kept, '%S+$') and redis.call('ZSCORE', Q, id)
end

-- The jobs of this lease, but those in the set `keep` (or nil): their ids, what its hash has of each, and whether each is still
-- its own, as nobody else has taken it.
local function held_by(token, keep)
  local all = redis.call('HGETALL', P .. 'held:' .. token)
  local ids, kept, own = {}, {}, {}
  for i = 1, #all, 2 do
    if not (keep and keep[all[i]]) then
      ids[#ids + 1], kept[#kept + 1] = all[i], all[i + 1]
    end
  end
  for first = 1, #ids, 1000 do
    local last = math.min(first + 999, #ids)
    local holders = values('arq:in-progress:', ids, first, last)
    for i = first, last do
      local holder = holders[i - first + 1]
      own[i] = holder == token or (not holder and untouched(ids[i], kept[i]))
    end
  end
  return ids, kept, own
end

-- The prefixes of the queues of a lease.
local function queues_of(token)
  local served = redis.call('HGET', 'arq:quarq:served', token)
  return served and cmsgpack.unpack(served) or {}
end

-- Protects the jobs of this lease in the queue P for as long again. Jobs that others have taken are not held any more.
local function extend_here(token, duration)
  local protected = string.format('%d', protected_ms(duration))
  local until_when = moment(now + protected_ms(duration))
  local later, lost = {}, {}
  local ids, _, own = held_by(token)
  for i, id in ipairs(ids) do
    if own[i] then
      redis.call('SET', 'arq:in-progress:' .. id, token, 'PX', protected)
      later[#later + 1], later[#later + 2] = until_when, id
    else
      lost[#lost + 1] = id
    end
  end
  for i = 1, #later, 2000 do
    redis.call('ZADD', Q, 'XX', unpack(later, i, math.min(i + 1999, #later)))
  end
  many('HDEL', P .. 'held:' .. token, lost)
end

-- The same in all its queues.
local function extend(token, duration)
  local here = P
  for _, prefix in ipairs(queues_of(token)) do
    turn_to(prefix)
    extend_here(token, duration)
  end
  turn_to(here)
  redis.call('HSET', 'arq:quarq:extended', token, moment(now))
end

-- Puts jobs back into the queue, each where it stood when it was claimed: the start that is over does not count. `kept` is what
-- their holder had in its hash.
local function put_back(ids, kept)
  local places, keys = {}, {}
  for i = 1, #ids do
    local id = ids[i]
    local score, starts = string.match(kept[i], '^(%S+) (%S+)$')
    -- It was due when it was claimed: it must not wait because the clock was set back since.
    places[2 * i - 1], places[2 * i] = tonumber(score) > now and moment(now) or score, id
    keys[#keys + 1] = 'arq:in-progress:' .. id
    if tonumber(starts) <= 1 then
      keys[#keys + 1] = 'arq:retry:' .. id
    else
      redis.call('SET', 'arq:retry:' .. id, string.format('%d', tonumber(starts) - 1), 'EX', '88400')
    end
  end
  delete(keys)
  for i = 1, #places, 2000 do
    redis.call('ZADD', Q, 'XX', unpack(places, i, math.min(i + 1999, #places)))
  end
end

-- Gives the jobs held under `token`, but those in the set `keep` (or nil), back to the queue; those whose cancelling was
-- requested end as the first request says. lost: those that have begun count as lost once more. Returns how many were given back.
local function give_back(token, keep, lost)
  local ids, kept, own = held_by(token, keep)
  local cancel = P .. 'cancel:' .. token
  local unwanted = redis.call('EXISTS', cancel) == 1
  local back, back_kept, cancelled, requests = {}, {}, {}, {}
  for i, id in ipairs(ids) do
    local request = own[i] and unwanted and redis.call('HGET', cancel, id)
    if request then
      cancelled[#cancelled + 1], requests[#requests + 1] = id, request
    elseif own[i] then
      back[#back + 1], back_kept[#back_kept + 1] = id, kept[i]
    end
  end
  local waiting, unstarted = P .. 'unstarted:' .. token, {}
  for _, id in ipairs(redis.call('SMEMBERS', waiting)) do
    unstarted[id] = true
  end
  many('HDEL', P .. 'held:' .. token, ids)
  many('SREM', waiting, ids)
  if unwanted then
    many('HDEL', cancel, ids)
  end
  put_back(back, back_kept)
  if lost and #back > 0 then
    for _, id in ipairs(back) do
      if not unstarted[id] then
        redis.call('HINCRBY', P .. 'losses', id, 1)
      end
    end
    -- As arq:retry is: a worker of Python's may end the job, and does not know of this.
    redis.call('EXPIRE', P .. 'losses', '88400')
  end
  finish_cancelled(cancelled, requests)
  return #back
end

-- Removes all that is stored of a lease in the queue P; its jobs were given back before.
local function leave(token)
  redis.call('ZREM', P .. 'leases', token)
  redis.call('ZREM', P .. 'idle', token)
  redis.call('ZREM', P .. 'paused', token)
  redis.call('DEL', P .. 'settled:' .. token, P .. 'held:' .. token, P .. 'cancel:' .. token, P .. 'unstarted:' .. token)
end

-- Forgets a lease that has left all its queues.
local function forget_lease(token)
  redis.call('ZREM', all_leases, token)
  for _, key in ipairs({'cards', 'tasks', 'served', 'extended', 'spared'}) do
    redis.call('HDEL', 'arq:quarq:' .. key, token)
  end
  redis.call('DEL', 'arq:quarq:cancel:' .. token)
  if redis.call('EXISTS', all_leases) == 0 then
    redis.call('DEL', 'arq:quarq:last_heard')
  end
end

-- Gives each lease that has not run out for good `duration` ms from now at least; `mine` is heard now.
local function extend_all(mine, duration, silence)
  for _, each in ipairs(leases_to_extend(all_leases, 'arq:quarq:spared', mine, silence, moment(now + duration))) do
    extend(each, duration)
    redis.call('ZADD', all_leases, moment(now + duration), each)
  end
  redis.call('SET', 'arq:quarq:last_heard', moment(now))
end

-- Gives the jobs of a lost lease back, as lost, in up to `most` of its queues. Returns the queues it still has, and how many were
-- done.
local function give_back_in_all(lost, most)
  local queues, done, here = queues_of(lost), 0, P
  while #queues > 0 and done < most do
    turn_to(table.remove(queues))
    local count = give_back(lost, nil, true)
    if count > 0 then
      wake(P)
      count_lost(P, now, count)
    end
    leave(lost)
    done = done + 1
  end
  turn_to(here)
  return queues, done
end

-- Gives the jobs of all leases that have run out, but `mine`, back to their queues, those of up to 100 queues of leases in a
-- call. After a silence, or when every lease has run out, mine included, each gets `duration` ms to come back before its jobs go
-- to others. A worker that opens a lease says less than one that renews.
local function take_back_lost(mine, duration)
  local first = redis.call('ZRANGE', all_leases, 0, 0, 'WITHSCORES')
  if not first[1] then
    return
  end
  local own = redis.call('ZSCORE', all_leases, mine)
  local last = tonumber(redis.call('ZRANGE', all_leases, -1, -1, 'WITHSCORES')[2])
  local silence = now - (redis.call('GET', 'arq:quarq:last_heard') or now)
  if is_outage(silence, duration) or (own and last > 0 and last < now) then
    extend_all(mine, own and duration or grace_of(duration), silence)
    first = redis.call('ZRANGE', all_leases, 0, 0, 'WITHSCORES')
  end
  if tonumber(first[2]) >= now then
    return
  end
  local left = 100
  for _, lost in ipairs(redis.call('ZRANGEBYSCORE', all_leases, '-inf', '(' .. moment(now), 'LIMIT', 0, left)) do
    if lost == mine then
      extend(mine, duration)
    elseif left > 0 then
      local queues, done = give_back_in_all(lost, left)
      left = left - done
      if #queues == 0 then
        forget_lease(lost)
      else
        redis.call('ZADD', all_leases, 0, lost)
        redis.call('HSET', 'arq:quarq:served', lost, cmsgpack.pack(queues))
      end
    end
  end
end

