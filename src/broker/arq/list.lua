-- Some of the jobs in a state: to be called again for the next page.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  digit of the state: queued, deferred, running or dead
-- ARGV[2]  how many to pass over
-- ARGV[3]  how many to look at (up to 1000)
--
-- Returns {1 if there may be more, how many were looked at, details (shared_details.lua)...}; of large ones fewer are looked at.
-- needs: shared_basics shared_details
local state, first, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local page = redis.call('ZRANGE', state == '7' and P .. 'dead' or Q, first, first + count - 1, 'WITHSCORES')
local ids = {}
for i = 1, #page, 2 do
  ids[#ids + 1] = page[i]
end
local answer, bytes = {#ids == count and 1 or 0, #ids}, 0
local holders = holders_of(ids)
local live = state == '7' and #ids > 0 and redis.call('ZMSCORE', Q, unpack(ids))
for i, id in ipairs(ids) do
  local score = page[2 * i]
  local shown = live and not live[i] and details(id)
  if state ~= '7' and (holders[i] and '2' or (tonumber(score) > now and '1' or '0')) == state then
    shown = details(id, score, holders[i])
  end
  if shown then
    answer[#answer + 1] = shown
    bytes = bytes + #shown[3] + #shown[4]
    if bytes > 8000000 then
      answer[1], answer[2] = 1, i
      break
    end
  end
end
return answer
