// What requests to the gateway mean, and what its answers say, without a broker.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <quarq/detail/call_data.hpp>
#include <quarq/http/request.hpp>
#include <quarq/job_info.hpp>
#include <quarq/job_state.hpp>

#include "model/record.hpp"

namespace quarq::rpc {

/// `POST /jobs/TASK?delay=10s&priority=9`. Throws http::problem: 400 for a body that is no JSON, 415, and 422 for
/// options and arguments that can't be.
detail::call_data call_of(std::string task, const http::request& r, std::string_view body);

/// The value of "?wait=10s", at most `max`; nullopt without it. Throws problem(422).
std::optional<std::chrono::milliseconds> wait_of(const http::request& r, std::chrono::milliseconds max);

/// As JSON: id, task, state, attempts, result, error_type, error.
std::string to_json(const job_info& job);
/// The same for a job that has just ended, of which nothing may be kept.
std::string to_json(const std::string& id, job_state state, const model::outcome& end);

/// "/jobs/01JF...".
std::string location_of(std::string_view id);

}  // namespace quarq::rpc
