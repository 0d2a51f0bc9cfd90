-- Asks after jobs, and to be told of the end of those that have not ended. May be called again at any time.
--
-- KEYS[1]   P, the queue's prefix
-- ARGV[1]   the client, 26 characters: it has subscribed to P..'client:'..ARGV[1]
-- ARGV[2]   how many bytes one outcome may have in this reply
-- ARGV[3]   how many bytes all of them may have together, but for the last
-- ARGV[4..] ids
--
-- Returns for each job: 0 (it will be told), 1 (no such job, or its outcome is not kept), 2 (it has ended, and its outcome is too
-- large for this reply), or state digit and outcome (empty where only the state is kept).
-- needs: shared_format shared_lists shared_waiters shared_successes
local P, client, largest, budget = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local ids = {unpack(ARGV, 4)}
make_room(P)
local now = clock()
local results, mail, dead = P .. 'results', P .. 'mail:' .. client, P .. 'dead_outcomes'
local any_dead, any_mail = redis.call('EXISTS', dead) == 1, redis.call('EXISTS', mail) == 1
local bytes = 0

-- The entry of a hash about the end of this job; or 2; or nothing.
local function end_in(key, id)
  local length = redis.call('HSTRLEN', key, id)
  if length == 0 then
    return nil
  elseif length > largest or bytes >= budget then
    return 2
  end
  local found = redis.call('HGET', key, id)
  bytes = bytes + #found
  return found
end

-- Of a job whose outcome is kept.
local function kept_end(id)
  local found = end_in(results, id)
  if not found or found == 2 then
    return found
  end
  local until_when = struct.unpack('<I8', found, 2)
  if until_when == 0 or until_when > now then
    return string.sub(found, 1, 1) .. string.sub(found, 10)
  end
end

local answers = {}
for k, id in ipairs(ids) do
  local answer = kept_end(id)
  if not answer and any_dead then
    answer = end_in(dead, id)
    answer = answer and answer ~= 2 and '7' .. answer or answer
  end
  if not answer and redis.call('HEXISTS', P .. 'jobs', id) == 1 then
    answer = 0
    add_waiter(P, id, client)
    if any_mail then
      redis.call('HDEL', mail, id) -- of an earlier job of this id
    end
  elseif not answer and any_mail then
    answer = end_in(mail, id) -- it stays until its time is over, as this answer may get lost
  end
  if not answer and has_succeeded(P, id, now) then
    answer = '3'
  end
  answers[k] = answer or 1
end
return answers
