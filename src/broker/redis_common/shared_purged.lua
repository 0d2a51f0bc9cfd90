-- Shared: jobs that are purged. Needs shared_tell.lua.

-- Tells all who wait for these jobs that they are gone.
local function tell_purged(P, ids)
  local states, outcomes = {}, {}
  for i = 1, #ids do
    states[i], outcomes[i] = '-', ''
  end
  tell(P, ids, states, outcomes)
end
