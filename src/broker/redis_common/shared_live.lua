-- Shared: which leases are live.

-- Those of the queue with the prefix P: {token, for how many ms it lives} for each. `all`: the sorted set of all leases, token ->
-- when it runs out, ms.
local function live_leases(P, all, now)
  local tokens, found = redis.call('ZRANGE', P .. 'leases', 0, -1), {}
  for first = 1, #tokens, 1000 do
    local last = math.min(first + 999, #tokens)
    local ends = redis.call('ZMSCORE', all, unpack(tokens, first, last))
    for i = first, last do
      local left = ends[i - first + 1] and tonumber(ends[i - first + 1]) - now
      if left and left >= 0 then
        found[#found + 1] = {tokens[i], math.floor(left)}
      end
    end
  end
  return found
end

