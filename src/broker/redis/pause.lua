-- Pauses a queue, or resumes it.
--
-- KEYS[1]     P, the queue's prefix
-- ARGV[1..3]  the sender, the number of this call and those of earlier ones (shared_once.lua)
-- ARGV[4]     '1': no lease gets a job from now on; '0': all may have some again
--
-- Returns 1 if it was otherwise before, else 0.
-- needs: shared_format shared_calls shared_once shared_paused
redis.call('DEL', KEYS[1] .. 'none') -- make_room in shared_lists.lua
if not format then
  redis.call('SET', KEYS[1] .. 'format', '3')
end
return answer_once(set_paused(KEYS[1], ARGV[4] == '1'))
