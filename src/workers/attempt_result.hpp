// What an attempt of a job came to, from what its handler threw.
#pragma once

#include <cstddef>
#include <exception>
#include <string>

#include "model/retry_decision.hpp"
#include "workers/running_job.hpp"

namespace quarq::workers {

/// How much is kept of what a handler threw, in bytes. The rest is cut, with a mark.
inline constexpr std::size_t max_error = 64 * 1024;
inline constexpr std::size_t max_error_type = 1024;

model::attempt failed_attempt(model::attempt::result_kind came, std::string type, std::string message);

model::attempt classify(const std::exception_ptr& thrown);

/// What a handler threw that had been asked to stop is only how it stopped.
void explain_stop(model::attempt& a, const running_job& job);

/// Of a job that was not started in time.
model::attempt expired_attempt(const running_job& job);

}  // namespace quarq::workers
