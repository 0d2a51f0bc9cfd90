-- Forgets some of the jobs in a state; their waiters are told that they are gone. To be called again for the next page.
--
-- KEYS[1]     P, the queue's prefix
-- ARGV[1..3]  the sender, the number of this call and those of earlier ones (shared_once.lua)
-- ARGV[4]     digit of the state: queued, deferred or dead; ? for results
-- ARGV[5]     how many to pass over
-- ARGV[6..]   of results: ids
--
-- Returns {how many were purged, how many were passed over, 1 if there may be more}
-- needs: shared_basics shared_calls shared_once shared_tell shared_purged shared_ends
make_room()
local state, first = ARGV[4], tonumber(ARGV[5])
local ids = {unpack(ARGV, 6)}
local looked_at = #ids
local keys = {}
if state == '7' then
  ids = redis.call('ZRANGE', P .. 'dead', 0, 999)
  looked_at = #ids
elseif state ~= '?' then
  local page = redis.call('ZRANGE', Q, first, first + 999, 'WITHSCORES')
  local there = {}
  for i = 1, #page, 2 do
    there[#there + 1] = page[i]
  end
  looked_at = #there
  local holders = holders_of(there)
  for i, id in ipairs(there) do
    if not holders[i] and (tonumber(page[2 * i]) > now and '1' or '0') == state then
      ids[#ids + 1] = id
    end
  end
  forget(ids)
  tell_purged(P, ids)
  return answer_once({#ids, looked_at - #ids, looked_at == 1000 and 1 or 0})
end
for i, id in ipairs(ids) do
  keys[i] = 'arq:result:' .. id
end
delete(keys)
unbury(ids)
return answer_once({#ids, 0, looked_at == 1000 and 1 or 0})
