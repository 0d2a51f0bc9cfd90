-- Pauses a queue, or resumes it.
--
-- KEYS[1]     P, the queue's prefix
-- ARGV[1..3]  the sender, the number of this call and those of earlier ones (shared_once.lua)
-- ARGV[4]     '1': no lease gets a job from now on; '0': all may have some again
--
-- Returns 1 if it was otherwise before, else 0.
-- needs: shared_format shared_lists shared_calls shared_once shared_paused
local P = KEYS[1]
make_room(P)
if not format then
  redis.call('SET', P .. 'format', known_format)
end
return answer_once(set_paused(P, ARGV[4] == '1'))
