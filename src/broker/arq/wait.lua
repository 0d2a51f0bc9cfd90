-- Asks after jobs, and to be told by quarq's workers of the end of those that have not ended. To be called again every now and
-- then, as Python's workers tell nobody.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the client, 26 characters: it has subscribed to P..'client:'..ARGV[1]
-- ARGV[2..] ids
--
-- Returns for each job: 0 (it has not ended), 1 (no such job, or its result is not kept), or its end: the digit of its state, or
-- ? where the result must tell, and its result.
-- needs: shared_basics
local client = ARGV[1]
local ids = {unpack(ARGV, 2)}
local results = values('arq:result:', ids)
local queued = redis.call('ZMSCORE', Q, unpack(ids))
local dead = redis.call('EXISTS', P .. 'dead_outcomes') == 1 and redis.call('HMGET', P .. 'dead_outcomes', unpack(ids))
local mail = redis.call('HMGET', P .. 'mail:' .. client, unpack(ids))
local waiters = redis.call('HMGET', P .. 'waiters', unpack(ids))

local answers, noted, done, got = {}, {}, {}, {}
for k, id in ipairs(ids) do
  if dead and dead[k] and not queued[k] then
    answers[k] = '7' .. dead[k]
  elseif results[k] then
    answers[k] = '?' .. results[k]
  elseif mail[k] and not queued[k] then
    answers[k] = mail[k]
    got[#got + 1] = id
  else
    answers[k] = queued[k] and 0 or 1
  end
  local clients = waiters[k] or ''
  local at = string.find(clients, client, 1, true)
  if answers[k] == 0 and not at then
    noted[#noted + 1], noted[#noted + 2] = id, clients .. client
  elseif answers[k] ~= 0 and waiters[k] then
    done[#done + 1] = id -- it was a Python worker that ended it
  end
end
if #noted > 0 then
  many('HSET', P .. 'waiters', noted)
  -- Should nobody of us be there when they end.
  redis.call('PEXPIRE', P .. 'waiters', '172800000')
end
many('HDEL', P .. 'waiters', done)
many('HDEL', P .. 'mail:' .. client, got)
return answers
