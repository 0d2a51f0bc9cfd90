-- Shared: calls of clients that are answered as the first time when they are sent again, because the answer was lost with the
-- connection. Needs shared_calls.lua. ARGV[1] is the sender, 26 characters, ARGV[2] the number of this call, unique to the
-- sender, ARGV[3] the numbers of earlier calls whose answers have arrived, divided by spaces.
local calls = KEYS[1] .. 'sender:' .. ARGV[1]
local first_answer = redis.call('HGET', calls, ARGV[2])
if first_answer then
  return cmsgpack.unpack(first_answer)
end

-- The end of the call.
local function answer_once(answer)
  redis.call('HSET', calls, ARGV[2], cmsgpack.pack(answer))
  redis.call('PEXPIRE', calls, '600000')
  forget_calls(calls, ARGV[3])
  return answer
end

