-- Shared: the presence of Python's workers, and the jobs that are left to them.

-- Python's workers have been seen: they may be there for an hour more without another sign of them.
local function note_python(ms)
  redis.call('SET', P .. 'python', '1', 'PX', string.format('%.0f', ms + 3660000))
end

-- The health record is shared by all workers of a queue. If it differs from our last one, a Python worker wrote it; when both
-- begin in the same second, only the time it lives tells them apart. Returns for how many ms it lives then, else 0.
local function look_for_python(health_key)
  local record = redis.call('GET', health_key)
  local lives = redis.call('PTTL', health_key)
  local is_ours = record == redis.call('GET', P .. 'health') and math.abs(lives - redis.call('PTTL', P .. 'health')) < 10
  if not record or is_ours then
    return 0
  end
  lives = math.max(0, lives)
  note_python(lives)
  return lives
end

-- A job that our worker hands back beside Python's workers may be one for them: our workers leave it alone for longer
-- than Python's take between two looks. P..'left': id -> until when.
local function leave_to_python(ids)
  if #ids == 0 or redis.call('EXISTS', P .. 'python') == 0 then
    return false
  end
  local until_when, places = moment(now + 600), {}
  for i, id in ipairs(ids) do
    places[2 * i - 1], places[2 * i] = until_when, id
  end
  for i = 1, #places, 2000 do
    redis.call('ZADD', P .. 'left', unpack(places, i, math.min(i + 1999, #places)))
  end
  return true
end

-- By whom these jobs are held, ids as for values(); false: a worker of ours may take the job now.
local function reserved_for(ids)
  local holders = holders_of(ids)
  if #ids > 0 and redis.call('EXISTS', P .. 'left') == 1 then
    for i, until_when in ipairs(redis.call('ZMSCORE', P .. 'left', unpack(ids))) do
      if not holders[i] and until_when and tonumber(until_when) > now then
        holders[i] = 'left'
      end
    end
  end
  return holders
end

-- When the first of the jobs left to Python's workers is ours again, ms; nil for none.
local function left_until()
  if redis.call('EXISTS', P .. 'left') == 0 then
    return nil
  end
  redis.call('ZREMRANGEBYSCORE', P .. 'left', '-inf', moment(now))
  local first = redis.call('ZRANGE', P .. 'left', 0, 0, 'WITHSCORES')
  return first[2] and tonumber(first[2])
end

