-- Some of the jobs in a state: to be called again for the next page.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  digit of the state: queued, deferred, running or dead
-- ARGV[2]  how many to pass over
-- ARGV[3]  how many to look at (up to 1000)
--
-- Returns {how many were looked at, details (shared_details.lua)...}
-- needs: shared_basics shared_details
local state, first, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local page = redis.call('ZRANGE', state == '7' and P .. 'dead' or Q, first, first + count - 1, 'WITHSCORES')
local ids = {}
for i = 1, #page, 2 do
  ids[#ids + 1] = page[i]
end
local answer = {#ids}
if state == '7' then
  local live = #ids > 0 and redis.call('ZMSCORE', Q, unpack(ids))
  for i, id in ipairs(ids) do
    if not live[i] then
      answer[#answer + 1] = details(id)
    end
  end
  return answer
end
local holders = values('arq:in-progress:', ids)
for i, id in ipairs(ids) do
  local score = page[2 * i]
  if (holders[i] and '2' or (tonumber(score) > now and '1' or '0')) == state then
    answer[#answer + 1] = details(id, score, holders[i])
  end
end
return answer
