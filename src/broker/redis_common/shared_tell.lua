-- Shared: notifying the waiters of jobs. Needs many() of shared_lists.lua. P is the prefix of all keys and channels
-- (broker/arq pastes it too).

-- Tells one client of the jobs whose numbers are in `which`, in as many messages as are needed, none of which is much longer
-- than max_reply. Too large an outcome is announced: ! in place of the state, and the client asks for it.
local function tell_client(P, client, which, ids, states, outcomes, can_ask)
  local mail = P .. 'mail:' .. client

  local function leave_in_mailbox(i)
    redis.call('HSET', mail, ids[i], states[i] .. outcomes[i])
    redis.call('PEXPIRE', mail, 60000)
  end

  local parts, bytes, first = {}, 0, 1
  for k, i in ipairs(which) do
    local state, outcome = states[i], outcomes[i]
    if #outcome > max_shared_payload then
      if not (can_ask and can_ask[i]) then
        leave_in_mailbox(i)
      end
      state, outcome = '!', ''
    end
    parts[#parts + 1] = struct.pack('>I2', #ids[i]) .. ids[i] .. state .. struct.pack('>I4', #outcome) .. outcome
    bytes = bytes + #parts[#parts]
    if bytes >= max_reply or k == #which then
      if redis.call('PUBLISH', P .. 'client:' .. client, table.concat(parts)) == 0 then
        for n = first, k do
          if not (can_ask and can_ask[which[n]]) then
            leave_in_mailbox(which[n])
          end
        end
      end
      parts, bytes, first = {}, 0, k + 1
    end
  end
end

-- Tells all who wait for these jobs: ids[i] ended in states[i] (a digit of job_state, or '-': it was purged) with outcomes[i].
-- A message has for each job its id's length (2 bytes, big endian), id, state, outcome's length (4 bytes), outcome.
-- A message that nobody heard, because that client is just reconnecting, waits a minute in its mailbox; but not where can_ask[i]
-- says that the outcome is kept, so that the client gets it when it asks.
local function tell(P, ids, states, outcomes, can_ask)
  local waiters = P .. 'waiters'
  if #ids == 0 or redis.call('EXISTS', waiters) == 0 then
    return
  end
  local letters, notified = {}, {}

  local function add(client, i)
    local letter = letters[client] or {}
    letters[client] = letter
    letter[#letter + 1] = i
  end

  for first = 1, #ids, 5000 do
    local last = math.min(first + 4999, #ids)
    local who = redis.call('HMGET', waiters, unpack(ids, first, last))
    for i = first, last do
      local clients = who[i - first + 1]
      if clients then
        notified[#notified + 1] = ids[i]
      end
      if clients == '*' then
        for _, client in ipairs(redis.call('SMEMBERS', waiters .. ':' .. ids[i])) do
          add(client, i)
        end
        redis.call('DEL', waiters .. ':' .. ids[i])
      else
        for at = 1, #(clients or ''), 26 do
          add(string.sub(clients, at, at + 25), i)
        end
      end
    end
  end
  for client, letter in pairs(letters) do
    tell_client(P, client, letter, ids, states, outcomes, can_ask)
  end
  many('HDEL', waiters, notified)
end

