-- Shared: a job as inspect.lua and list.lua show it:
--   {id, state digit, header and record or '', outcome, tries, when it is due or '', token of the lease that holds it}
local function details(P, id, stored, state, more)
  local tries = (redis.call('HGET', P .. 'tries', id) or 0) + (state == '2' and 1 or 0)
  local outcome = redis.call('HGET', P .. (state == '7' and 'dead_outcomes' or 'last_tries'), id) or ''
  return {id, state, stored, outcome, tries, state == '1' and more or '', state == '2' and more or ''}
end

local function ended_details(id, state, outcome)
  return {id, state, '', outcome, 0, '', ''}
end
