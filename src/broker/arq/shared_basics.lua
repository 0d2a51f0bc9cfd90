
-- Shared: pasted before all scripts.
--
-- KEYS[1] is P = Q..':quarq:', with which all keys begin that quarq has beside arq's; Q is arq's queue. A running job's id
-- stands in three places: in Q, with a score in the future; in arq:in-progress:<id>, whose value is the token of its lease (a
-- Python worker's is 1); and in the hash P..'held:'..token: id -> score at which it was claimed, a space, its number of starts.
-- P..'python' is there while workers of Python's are known to serve the queue.
local P = KEYS[1]
local Q = string.sub(P, 1, -8)

-- From now on, all calls concern the queue with this prefix.
local function turn_to(prefix)
  P, Q = prefix, string.sub(prefix, 1, -8)
end

-- A worker has one lease over all its queues; P..'leases' of each has its token, with the moment at which it was opened. The
-- data of a lease stands once for the database. A sorted set: token -> when the lease runs out, ms; 0: it has run out, and not
-- all it held has been given back yet.
local all_leases = 'arq:quarq:leases'

-- Whether the worker of a lease has missed its last renewal (shared_wake.lua): not known here.
local function stands_still()
  return false
end

-- The broker's clock: ms of Unix time, with a fraction.
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000

-- A server whose memory is full refuses a script at its first write, if that may need memory, and never after one that does not.
-- Scripts that free memory in the end begin with this.
local function make_room()
  redis.call('DEL', P .. 'room')
end

-- A moment as a score.
local function moment(ms)
  return string.format('%.4f', ms)
end

-- Calls `command key item...` for all of `list`, in pieces that unpack() and Lua's stack can take.
local function many(command, key, list)
  for i = 1, #list, 5000 do
    redis.call(command, key, unpack(list, i, math.min(i + 4999, #list)))
  end
end

-- Calls `DEL` for all of `keys`.
local function delete(keys)
  for i = 1, #keys, 5000 do
    redis.call('DEL', unpack(keys, i, math.min(i + 4999, #keys)))
  end
end

-- The values of the keys prefix..id, false where there is none: of up to 5000 ids, those from `first` to `last`.
local function values(prefix, ids, first, last)
  if #ids == 0 then
    return {}
  end
  local names = {}
  for i = first or 1, last or #ids do
    names[#names + 1] = prefix .. ids[i]
  end
  return redis.call('MGET', unpack(names))
end

-- The value that the in-progress key of an ended job may hold for a moment (shared_ends.lua): it is held by nobody.
local tombstone = 'ended'

-- By whom these jobs are held, false where by nobody; ids as for values().
local function holders_of(ids, first, last)
  local holders = values('arq:in-progress:', ids, first, last)
  for i = 1, #holders do
    if holders[i] == tombstone then
      holders[i] = false
    end
  end
  return holders
end

