-- Some of these results: as many as may be on their way at once.
--
-- KEYS[1]   P, the queue's prefix; any queue's, as results are of none
-- ARGV[1..] ids
--
-- Returns the results, nil for those that are not there, of the first ids, at least one.
-- needs: shared_basics
local answer, bytes = {}, 0
for i = 1, #ARGV do
  local result = redis.call('GET', 'arq:result:' .. ARGV[i])
  bytes = bytes + (result and #result or 0)
  if bytes > 8000000 and i > 1 then
    break
  end
  answer[i] = result
end
return answer
