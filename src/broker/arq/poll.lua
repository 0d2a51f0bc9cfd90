-- The work of Python's clients since the last look: they notify nobody.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the lease's token
-- ARGV[2]  1: whether jobs are ready; 0: that is of no interest
-- ARGV[3]  1: which running jobs are to be aborted; 0: that is of no interest
--
-- Returns {1 if jobs are ready, 2 if they are and the queue is paused, else 0; id to be aborted...}
-- needs: shared_basics shared_python shared_ready shared_aborts
drop_ghosts()
local answer = ARGV[3] == '1' and aborted(ARGV[1]) or {}
local ready, paused = false, false
if ARGV[2] == '1' then
  ready, paused = has_ready()
end
table.insert(answer, 1, paused and 2 or ready and 1 or 0)
return answer
