-- The live leases.
--
-- KEYS[1]  P, the queue's prefix
--
-- Returns for each {token, card, how many jobs it holds, for how many ms it is held}
-- needs: shared_basics
local answer = {}
local leases = redis.call('ZRANGEBYSCORE', P .. 'leases', moment(now), '+inf', 'WITHSCORES')
for i = 1, #leases, 2 do
  local token = leases[i]
  answer[#answer + 1] = {token, redis.call('HGET', P .. 'cards', token) or '', redis.call('HLEN', P .. 'held:' .. token),
    math.floor(tonumber(leases[i + 1]) - now)}
end
return answer
