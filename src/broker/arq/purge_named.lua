-- Forgets some jobs in one state, which do not run; their waiters are told that they are gone.
--
-- KEYS[1]     P, the queue's prefix
-- ARGV[1..3]  the sender, the number of this call and those of earlier ones (shared_once.lua)
-- ARGV[4]     digit of the state: queued, deferred or dead; ? for results
-- ARGV[5..]   ids (up to 500)
--
-- Returns how many were forgotten.
-- needs: shared_basics shared_calls shared_once shared_tell shared_purged shared_ends
make_room()
local state = ARGV[4]
local named = {unpack(ARGV, 5)}
local ids, seen = {}, {}
local holders = holders_of(named)
for i, id in ipairs(named) do
  local score = redis.call('ZSCORE', Q, id)
  local is_there
  if state == '7' then
    is_there = not score and redis.call('ZSCORE', P .. 'dead', id)
  elseif state == '?' then
    is_there = not score and redis.call('EXISTS', 'arq:result:' .. id) == 1
  else
    is_there = score and not holders[i] and (tonumber(score) > now and '1' or '0') == state
  end
  if is_there and not seen[id] then
    ids[#ids + 1] = id
  end
  seen[id] = true
end
if state == '7' or state == '?' then
  local keys = {}
  for i, id in ipairs(ids) do
    keys[i] = 'arq:result:' .. id
  end
  delete(keys)
  unbury(ids)
  return answer_once(#ids)
end
forget(ids)
tell_purged(P, ids)
return answer_once(#ids)
