-- Shared: when workers were heard, and until when their leases last. These few functions stand by themselves because each
-- function of a script costs time in each of its calls.

-- A sorted set: token -> when the lease runs out, ms; 0: it has run out, and not all it held has been given back yet.
local leases = 'quarq:leases'

-- For how many ms nobody was heard.
local function silence_until(now)
  return now - (redis.call('HGET', 'quarq:heard', '') or now)
end

-- Gives each lease that has not run out for good until `at` at least; `mine` is heard now. Needs shared_silence.lua.
local function extend_all(mine, at, silence)
  for _, each in ipairs(leases_to_extend(leases, 'quarq:spared', mine, silence, at)) do
    redis.call('ZADD', leases, at, each)
  end
end

-- Notes that a lease was heard, and with it, under no name, that any was; and lets it live for as long again. One that takes
-- no jobs is not heard itself, so that it is pushed none (enqueue.lua) and not woken alone (shared_wake.lua). A server whose
-- memory is full takes it as well: see make_room in shared_lists.lua, which costs time where there is room.
local function note_heard(token, now, duration, takes_jobs)
  local at = string.format('%d', now)
  local heard = takes_jobs and {'', at, token, at} or {'', at}
  if type(redis.pcall('HSET', 'quarq:heard', unpack(heard))) == 'table' then
    redis.call('DEL', 'quarq:none')
    redis.call('HSET', 'quarq:heard', unpack(heard))
  end
  redis.call('ZADD', leases, string.format('%d', now + duration), token)
end
