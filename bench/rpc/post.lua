-- What wrk sends: the call of rpc/tasks.hpp, as JSON.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"text": "' .. string.rep("x", 120) .. '"}'
