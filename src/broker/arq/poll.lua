-- The work of Python's clients since the last look: they notify nobody. One call is for all of a worker's queues.
--
-- KEYS[1]   the prefix of any of its queues
-- KEYS[2..] the prefixes of those in which ready jobs are of interest
-- ARGV[1]   the lease's token
-- ARGV[2]   1: running jobs that are to be aborted are of interest, in all queues of the lease; 0: they are not
--
-- Returns {for each of these queues a digit: 1 if jobs are ready, 2 if they are and it is paused, else 0; {a queue, id to be
-- aborted...}...}
-- needs: shared_basics shared_python shared_ready shared_aborts
local answer = {''}
if ARGV[2] == '1' and redis.call('EXISTS', 'arq:abort') == 1 then
  local served = redis.call('HGET', 'arq:quarq:served', ARGV[1])
  for _, prefix in ipairs(served and cmsgpack.unpack(served) or {}) do
    turn_to(prefix)
    local ids = aborted(ARGV[1])
    if #ids > 0 then
      table.insert(ids, 1, Q)
      answer[#answer + 1] = ids
    end
  end
end
local digits = {}
for i = 2, #KEYS do
  turn_to(KEYS[i])
  local ready, paused = has_ready()
  if ready or paused then
    drop_ghosts()
    ready, paused = has_ready()
  end
  digits[i - 1] = paused and '2' or ready and '1' or '0'
end
answer[1] = table.concat(digits)
return answer
