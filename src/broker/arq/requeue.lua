-- Dead jobs back into the queue, as if they had never been tried.
--
-- KEYS[1]     P, the queue's prefix
-- ARGV[1..3]  the sender, the number of this call and those of earlier ones (shared_once.lua)
-- ARGV[4]     the payloads' time to live, ms
-- ARGV[5]     '' or, for all of them: up to when they died, ms, as returned by the call before
-- ARGV[6..]   ids; none: up to 1000 of all
--
-- Returns {how many there were, up to when they died, 1 if there may be more}
-- needs: shared_basics shared_calls shared_once shared_wake shared_tell shared_ends
make_room()
local upto = ARGV[5] ~= '' and ARGV[5] or moment(now)
local ids = {unpack(ARGV, 6)}
local all = #ids == 0
if all then
  ids = redis.call('ZRANGEBYSCORE', P .. 'dead', '-inf', upto, 'LIMIT', 0, 1000)
end
local places, gone = {}, {}
for i, id in ipairs(ids) do
  if redis.call('ZSCORE', P .. 'dead', id) then
    local payload = redis.call('HGET', P .. 'dead_jobs', id)
    -- Python's clients may have sent another of this id meanwhile: that one is it, and the grave is empty.
    if payload and not redis.call('ZSCORE', Q, id) and redis.call('SET', 'arq:job:' .. id, payload, 'PX', ARGV[4], 'NX') then
      redis.call('DEL', 'arq:retry:' .. id, 'arq:result:' .. id)
      places[#places + 1], places[#places + 2] = moment(now - (#ids - i) / 1000), id
    end
    if payload then
      gone[#gone + 1] = id
    end
  end
end
for i = 1, #places, 2000 do
  redis.call('ZADD', Q, unpack(places, i, math.min(i + 1999, #places)))
end
unbury(gone)
if #places > 0 then
  wake(P)
end
return answer_once({#places / 2, upto, all and #ids == 1000 and 1 or 0})
