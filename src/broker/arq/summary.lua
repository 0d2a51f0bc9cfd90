-- How many jobs of a queue are in which state, but for those that run.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1..] ids of jobs that run, of this queue or another: they are counted as such, and not among the others
--
-- Returns {due, deferred, running, dead, live leases, 1 if it is paused, else 0}
-- needs: shared_basics shared_live
local due = redis.call('ZCOUNT', Q, '-inf', moment(now))
local deferred = redis.call('ZCARD', Q) - due
local running = 0
if #ARGV > 0 then
  local scores = redis.call('ZMSCORE', Q, unpack(ARGV))
  for i = 1, #ARGV do
    if scores[i] then
      running = running + 1
      if tonumber(scores[i]) <= now then
        due = due - 1
      else
        deferred = deferred - 1
      end
    end
  end
end
return {due, deferred, running, redis.call('ZCARD', P .. 'dead'), #live_leases(P, all_leases, now), redis.call('EXISTS', P .. 'paused')}
