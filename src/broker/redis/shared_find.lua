-- Shared: where a job is. Looks at every lease's held jobs, so it is for people's questions, not for the worker's path.

-- Returns the stored job (header and record), or nothing; its state ('0' queued, '1' deferred, '2' running, '7' dead);
-- then, if deferred: when it is due; if running: the lease's token.
local function find(P, id)
  local stored = redis.call('HGET', P .. 'jobs', id)
  if not stored then
    return nil
  end
  if redis.call('ZSCORE', P .. 'dead', id) then
    return stored, '7'
  end
  local due = redis.call('ZSCORE', P .. 'deferred', (string.byte(stored, 25) or 5) .. id)
  if due then
    return stored, '1', due
  end
  for _, token in ipairs(redis.call('ZRANGE', P .. 'leases', 0, -1)) do
    if redis.call('SISMEMBER', P .. 'running:' .. token, id) == 1 then
      return stored, '2', token
    end
  end
  return stored, '0'
end

-- The end of a job, if it is kept: its state digit and the outcome, which is empty where only the state is kept. Needs
-- shared_successes.lua.
local function kept_end(P, id)
  local kept = redis.call('HGET', P .. 'results', id)
  local until_when = kept and struct.unpack('<I8', kept, 2)
  if kept and (until_when == 0 or until_when > clock()) then
    return string.sub(kept, 1, 1), string.sub(kept, 10)
  elseif has_succeeded(P, id, clock()) then
    return '3', ''
  end
end
