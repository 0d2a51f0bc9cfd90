-- The live leases, and what a Python worker says of itself.
--
-- KEYS[1]  P, the queue's prefix
-- ARGV[1]  the key of the queue's health record
--
-- Returns {nil or {the health record, for how many ms it lives}, {{token, card, how many jobs it holds, for how many ms it is
-- held}...}}. The health record is shared by all workers of a queue: where quarq's write it, it says nothing new.
-- needs: shared_basics
local each = {}
local leases = redis.call('ZRANGEBYSCORE', P .. 'leases', moment(now), '+inf', 'WITHSCORES')
for i = 1, #leases, 2 do
  local token = leases[i]
  each[#each + 1] = {token, redis.call('HGET', P .. 'cards', token) or '', redis.call('HLEN', P .. 'held:' .. token),
    math.floor(tonumber(leases[i + 1]) - now)}
end
local health = redis.call('EXISTS', P .. 'leases') == 0 and redis.call('GET', ARGV[1])
return {health and {health, redis.call('PTTL', ARGV[1])}, each}
