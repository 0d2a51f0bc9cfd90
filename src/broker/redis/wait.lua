-- Asks after jobs, and to be told of the end of those that have not ended. May be called again at any time.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the client, 26 characters: it has subscribed to P..'client:'..ARGV[1]
-- ARGV[2..] ids
--
-- Returns for each job: 0 (it will be told), 1 (no such job, or its outcome is not kept), or state digit and outcome.
-- needs: shared_format shared_lists
local P, client = KEYS[1], ARGV[1]
local ids = {unpack(ARGV, 2)}
local now = clock()
local mail = redis.call('HMGET', P .. 'mail:' .. client, unpack(ids))
local results = redis.call('HMGET', P .. 'results', unpack(ids))
local until_when = redis.call('ZMSCORE', P .. 'results_until', unpack(ids))
local dead = redis.call('EXISTS', P .. 'dead_outcomes') == 1 and redis.call('HMGET', P .. 'dead_outcomes', unpack(ids))
local waiters = redis.call('HMGET', P .. 'waiters', unpack(ids))

local answers, noted, got = {}, {}, {}
for k, id in ipairs(ids) do
  if results[k] and until_when[k] and tonumber(until_when[k]) > now then
    answers[k] = results[k]
  elseif dead and dead[k] then
    answers[k] = '7' .. dead[k]
  elseif mail[k] then
    answers[k] = mail[k]
    got[#got + 1] = id
  elseif redis.call('HEXISTS', P .. 'jobs', id) == 0 then
    answers[k] = 1
  else
    answers[k] = 0
    local clients = waiters[k] or ''
    local there = false
    for at = 1, #clients, 26 do
      there = there or string.sub(clients, at, at + 25) == client
    end
    if not there then
      noted[#noted + 1] = id
      noted[#noted + 1] = clients .. client
    end
  end
end
many('HSET', P .. 'waiters', noted)
many('HDEL', P .. 'mail:' .. client, got)
return answers
