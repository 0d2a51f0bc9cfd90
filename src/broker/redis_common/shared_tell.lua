-- Shared: telling those who wait for the end of jobs. Needs many() of shared_lists.lua. P is what all keys and channels begin
-- with (broker/arq pastes it too).

-- Tells all who wait for these jobs: ids[i] ended in states[i] (a digit of job_state, or '-': it was purged) with outcomes[i].
-- One message a client: for each job its id's length (2 bytes, big endian), id, state, outcome's length (4 bytes), outcome.
-- What nobody heard, because that client is just reconnecting, waits a minute for it in its mailbox.
local function tell(P, ids, states, outcomes)
  local waiters = P .. 'waiters'
  if #ids == 0 or redis.call('EXISTS', waiters) == 0 then
    return
  end
  local letters, told = {}, {}
  for first = 1, #ids, 5000 do
    local last = math.min(first + 4999, #ids)
    local who = redis.call('HMGET', waiters, unpack(ids, first, last))
    for i = first, last do
      local clients = who[i - first + 1]
      if clients then
        told[#told + 1] = ids[i]
        for at = 1, #clients, 26 do
          local client = string.sub(clients, at, at + 25)
          local letter = letters[client] or {}
          letters[client] = letter
          letter[#letter + 1] = i
        end
      end
    end
  end
  for client, letter in pairs(letters) do
    local parts = {}
    for k, i in ipairs(letter) do
      parts[k] = struct.pack('>I2', #ids[i]) .. ids[i] .. states[i] .. struct.pack('>I4', #outcomes[i]) .. outcomes[i]
    end
    if redis.call('PUBLISH', P .. 'client:' .. client, table.concat(parts)) == 0 then
      local mail = P .. 'mail:' .. client
      for _, i in ipairs(letter) do
        redis.call('HSET', mail, ids[i], states[i] .. outcomes[i])
      end
      redis.call('PEXPIRE', mail, 60000)
    end
  end
  many('HDEL', waiters, told)
end

