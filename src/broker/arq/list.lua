-- Some of the jobs in a state: to be called again for the next page.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  digit of the state: queued, deferred, running or dead
-- ARGV[2]  how many to look at (up to 1000)
-- ARGV[3]  where to go on: '' at first, then what the call before returned: the score and id that it looked at last
--
-- Returns {where to go on, or '' if that was all; details (shared_details.lua)...}; of large ones fewer are looked at.
-- needs: shared_basics shared_details
local state, count, from = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local Z = state == '7' and P .. 'dead' or Q
local last_score, last = string.match(from, '^(%S+) (.*)$')
local first = 0
if last then
  -- It may have gone meanwhile, or stand elsewhere.
  local rank = redis.call('ZSCORE', Z, last) == last_score and redis.call('ZRANK', Z, last)
  first = rank and rank + 1 or redis.call('ZCOUNT', Z, '-inf', '(' .. last_score)
end
local page = redis.call('ZRANGE', Z, first, first + count - 1, 'WITHSCORES')
local ids = {}
for i = 1, #page, 2 do
  ids[#ids + 1] = page[i]
end
local answer, bytes = {#ids == count and page[2 * count] .. ' ' .. ids[count] or ''}, 0
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
      answer[1] = score .. ' ' .. id
      break
    end
  end
end
return answer
