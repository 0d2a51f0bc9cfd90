-- Asks after jobs, and to be told by quarq's workers of the end of those that have not ended. To be called again every now and
-- then, as Python's workers tell nobody.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the client, 26 characters: it has subscribed to P..'client:'..ARGV[1]
-- ARGV[2]   how many bytes one result may have in this reply
-- ARGV[3]   how many bytes all of them may have together, but for the last
-- ARGV[4..] ids
--
-- Returns for each job: 0 (it has not ended), 1 (no such job, or its result is not kept), 2 (it has ended, and its result is too
-- large for this reply), or its end: the digit of its state, or ? where the result must tell, and its result.
-- needs: shared_basics shared_waiters
local client, largest, budget = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local ids = {unpack(ARGV, 4)}
make_room()
local mail, dead = P .. 'mail:' .. client, P .. 'dead_outcomes'
local any_mail, any_dead = redis.call('EXISTS', mail) == 1, redis.call('EXISTS', dead) == 1
local queued = redis.call('ZMSCORE', Q, unpack(ids))
local waiters = redis.call('HMGET', P .. 'waiters', unpack(ids))
local bytes = 0

-- The value, of this many bytes, that a command reads; or 2; or nothing.
local function bounded(length, before, ...)
  if length == 0 then
    return nil
  elseif length > largest or bytes >= budget then
    return 2
  end
  bytes = bytes + length
  return before .. redis.call(...)
end

local function in_hash(key, id, before)
  return bounded(redis.call('HSTRLEN', key, id), before, 'HGET', key, id)
end

-- Which of these jobs have results: id -> the result's size. Most have none, so they are looked at together first.
local function result_sizes()
  local sizes = {}
  for first = 1, #ids, 64 do
    local names = {}
    for i = first, math.min(first + 63, #ids) do
      names[#names + 1] = 'arq:result:' .. ids[i]
    end
    if redis.call('EXISTS', unpack(names)) > 0 then
      for i, name in ipairs(names) do
        sizes[ids[first + i - 1]] = redis.call('STRLEN', name)
      end
    end
  end
  return sizes
end

local answers, done, any_noted = {}, {}, false
local sizes = result_sizes()
for k, id in ipairs(ids) do
  local answer = any_dead and not queued[k] and in_hash(dead, id, '7')
  answer = answer or bounded(sizes[id] or 0, '?', 'GET', 'arq:result:' .. id)
  if not answer and any_mail and queued[k] then
    redis.call('HDEL', mail, id) -- of an earlier job of this id
  elseif not answer and any_mail then
    answer = in_hash(mail, id, '') -- it stays until its time is over, as this answer may get lost
  end
  answers[k] = answer or (queued[k] and 0 or 1)
  local clients = waiters[k]
  if answers[k] == 0 and not (clients and string.find(clients, client, 1, true)) then
    add_waiter(P, id, client)
    any_noted = true
    if clients == '*' or clients and #clients == most_named then
      redis.call('PEXPIRE', P .. 'waiters:' .. id, '172800000')
    end
  elseif answers[k] ~= 0 and clients then
    done[#done + 1] = id -- it was a Python worker that ended it
    redis.call('DEL', P .. 'waiters:' .. id)
  end
end
if any_noted then
  -- Should nobody of us be there when they end.
  redis.call('PEXPIRE', P .. 'waiters', '172800000')
end
many('HDEL', P .. 'waiters', done)
return answers
