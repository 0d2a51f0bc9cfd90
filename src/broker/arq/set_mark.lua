-- Keeps a short text of the queue's under a name, or removes it. Python does not know of it.
--
-- KEYS[1]     P, the queue's prefix
-- ARGV[1..3]  the sender, the number of this call and those of earlier ones (shared_once.lua)
-- ARGV[4]     the name
-- ARGV[5]     the text; '': none from now on
--
-- Returns 1 if that changed anything, else 0.
-- needs: shared_basics shared_calls shared_once shared_marks
make_room()
return answer_once(set_mark(P, ARGV[4], ARGV[5]))
