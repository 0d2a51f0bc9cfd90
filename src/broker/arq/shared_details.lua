-- Shared: a job as inspect and list show it.
--
-- {id, state, payload, result, starts, score, lease's token, score at which it was due first, losses, outcome record of its last try}; state is
-- a digit of job_state, or ? where the result must tell; missing fields are ''.
local function details(id, score, holder)
  local starts = redis.call('GET', 'arq:retry:' .. id) or '0'
  if not score and not holder then
    local died = redis.call('ZSCORE', P .. 'dead', id)
    if died then
      return {id, '7', redis.call('HGET', P .. 'dead_jobs', id) or '', redis.call('HGET', P .. 'dead_outcomes', id) or '', '0', '', '', '', '0', ''}
    end
    return {id, '?', '', redis.call('GET', 'arq:result:' .. id) or '', '0', '', '', '', '0', ''}
  end
  local state = holder and '2' or (tonumber(score) > now and '1' or '0')
  return {id, state, redis.call('GET', 'arq:job:' .. id) or '', '', starts, score or '', holder or '',
    redis.call('HGET', P .. 'first_due', id) or '', redis.call('HGET', P .. 'losses', id) or '0',
    redis.call('HGET', P .. 'last_tries', id) or ''}
end

