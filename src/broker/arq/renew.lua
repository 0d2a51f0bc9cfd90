-- Extends a worker's lease, takes the jobs of leases that have run out back, and forgets stale aborts and old dead jobs: all that
-- must happen now and then happens here, as workers call it every second or two.
--
-- KEYS[1..] the prefixes of its queues. The first, another with each call, is the one that is tidied, and looked at for ready jobs.
-- ARGV[1]   the lease's token
-- ARGV[2]   its duration, ms
-- ARGV[3]   its worker_info
-- ARGV[4]   the key of the first queue's health record
-- ARGV[5]   how many dead jobs are kept at most, and
-- ARGV[6]   for how many ms
--
-- Returns nil when it is not held; else {1 if jobs are ready in the first queue, 2 if they are and it is paused, else 0; how many
-- dead jobs were forgotten; how many leases there are; {the prefix of a queue, id to be cancelled...}...}
-- needs: shared_basics shared_wake shared_tell shared_ends shared_silence shared_stats shared_held shared_python shared_ready shared_aborts

-- Python's workers do not know of our data about retried jobs. Forgets it for some of the jobs that they ended.
local function forget_strays()
  if redis.call('EXISTS', P .. 'first_due') == 0 then
    return
  end
  local strays = {}
  for _, id in ipairs(redis.call('HRANDFIELD', P .. 'first_due', 64)) do
    if redis.call('EXISTS', 'arq:job:' .. id) == 0 then
      strays[#strays + 1] = id
    end
  end
  many('HDEL', P .. 'first_due', strays)
  many('HDEL', P .. 'last_tries', strays)
  many('HDEL', P .. 'losses', strays)
end

local token, duration = ARGV[1], tonumber(ARGV[2])
make_room()
if tonumber(redis.call('ZSCORE', all_leases, token) or 0) == 0 then
  return false
end
take_back_lost(token, duration)
redis.call('SET', 'arq:quarq:last_heard', moment(now))
redis.call('ZADD', all_leases, moment(now + duration), token)
redis.call('HSET', 'arq:quarq:cards', token, ARGV[3])
-- Often enough that jobs protected for longer than the lease stay so.
local extended = tonumber(redis.call('HGET', 'arq:quarq:extended', token) or 0)
if now - extended >= duration / 3 or extended > now then
  extend(token, duration)
end
look_for_python(ARGV[4])
forget_strays()
drop_ghosts()
purge_aborts()
local ready, paused = has_ready()
local answer = {paused and 2 or ready and 1 or 0, limit_dead(tonumber(ARGV[5]), tonumber(ARGV[6])),
  redis.call('ZCARD', all_leases)}

local function add(prefix, ids)
  if #ids > 0 then
    table.insert(ids, 1, prefix)
    answer[#answer + 1] = ids
  end
  return #ids > 0
end

for _, prefix in ipairs(redis.call('SMEMBERS', 'arq:quarq:cancel:' .. token)) do
  if not add(prefix, redis.call('HKEYS', prefix .. 'cancel:' .. token)) then
    redis.call('SREM', 'arq:quarq:cancel:' .. token, prefix)
  end
end
if redis.call('EXISTS', 'arq:abort') == 1 then
  for _, prefix in ipairs(KEYS) do
    turn_to(prefix)
    add(prefix, aborted(token))
  end
end
return answer
