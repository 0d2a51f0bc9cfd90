// The span of an attempt: from its start to its settlement.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include <quarq/detail/context.hpp>

#include "model/attempt.hpp"
#include "trace/messaging.hpp"
#include "trace/tracer.hpp"

namespace quarq::workers {

struct running_job;

struct attempt_span {
  trace::begun_span span;
  std::optional<span_context> created_by;  ///< to which it has a link, or whose child it is
};

/// What the attempt of this job will have; null: it is not sampled.
std::unique_ptr<attempt_span> begin_attempt_span(const trace::tracer& by, const detail::job_facts& facts);

/// `ran`: from its start until now. `became`: what the job is now. REQUIRES: job.span.
void end_attempt_span(const trace::tracer& by, const trace::operation& of, const running_job& job,
                      const model::attempt& a, std::string_view became, std::chrono::microseconds ran);

}  // namespace quarq::workers
