-- Shared: who waits for a job. P..waiters has the names of a few clients, 26 characters each; * where there are more of them, who
-- are in the set P..waiters:ID then (shared_tell.lua tells both).
local most_named = 8 * 26 -- bytes

local function add_waiter(P, id, client)
  local waiters, many_waiters = P .. 'waiters', P .. 'waiters:' .. id
  local clients = redis.call('HGET', waiters, id) or ''
  if clients == '*' then
    redis.call('SADD', many_waiters, client)
  elseif string.find(clients, client, 1, true) then
    return
  elseif #clients < most_named then
    redis.call('HSET', waiters, id, clients .. client)
  else
    for at = 1, #clients, 26 do
      redis.call('SADD', many_waiters, string.sub(clients, at, at + 25))
    end
    redis.call('SADD', many_waiters, client)
    redis.call('HSET', waiters, id, '*')
  end
end
