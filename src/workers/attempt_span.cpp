#include "workers/attempt_span.hpp"

#include <cstdint>
#include <utility>

#include <quarq/job_state.hpp>

#include "trace/traceparent.hpp"
#include "workers/running_job.hpp"

namespace quarq::workers {

std::unique_ptr<attempt_span> begin_attempt_span(const trace::tracer& by, const detail::job_facts& facts) {
  auto created_by = trace::context_of(facts.trace, facts.its_labels);
  if (!by.samples(facts.id, created_by ? &*created_by : nullptr)) return nullptr;
  auto made = std::make_unique<attempt_span>();
  const bool is_child = created_by && by.options().attempts_are_children;
  made->span = is_child ? trace::tracer::begin_child(*created_by) : by.begin_trace(facts.id);
  if (!is_child) made->created_by = std::move(created_by);
  return made;
}

void end_attempt_span(const trace::tracer& by, const trace::operation& of, const running_job& job,
                      const model::attempt& a, std::string_view became, std::chrono::microseconds ran) {
  const auto& begun = *job.span;
  auto ended = of.span(begun.span);
  ended.end = std::chrono::system_clock::now();
  ended.start = ended.end - ran;
  trace::own_attributes its;
  trace::add_job(its, job.claimed.id, job.record.task);
  its.push_back({"quarq.attempt", std::int64_t{job.claimed.attempts}});
  its.push_back({"quarq.state", became});
  if (begun.created_by) ended.links = {&*begun.created_by, 1};
  const bool was_handed_back = became == to_string(job_state::queued);
  if (a.result != model::attempt::result_kind::returned && !was_handed_back)
    trace::fail(ended, its, a.error_type, a.error);
  ended.attributes = its;
  by.end(ended);
}

}  // namespace quarq::workers
