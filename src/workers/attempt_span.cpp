#include "workers/attempt_span.hpp"

#include <string>
#include <utility>

#include <quarq/job_state.hpp>

#include "trace/traceparent.hpp"
#include "workers/running_job.hpp"

namespace quarq::workers {

std::unique_ptr<attempt_span> begin_attempt_span(const trace::tracer& by, const detail::job_facts& facts) {
  auto created_by = trace::context_of(facts.its_labels);
  if (!by.samples(facts.id, created_by ? &*created_by : nullptr)) return nullptr;
  auto made = std::make_unique<attempt_span>();
  const bool is_child = created_by && by.options().attempts_are_children;
  made->span = is_child ? trace::tracer::begin_child(*created_by) : by.begin_trace(facts.id);
  if (!is_child) made->created_by = std::move(created_by);
  return made;
}

finished_span end_attempt_span(running_job& job, const trace::broker_address& at, const model::attempt& a,
                               std::string_view became, std::chrono::microseconds ran) {
  auto& begun = *job.span;
  auto made =
      trace::messaging_span(std::move(begun.span), trace::operation_process, job.from.served.name, at);
  made.kind = span_kind::consumer;
  made.end = std::chrono::system_clock::now();
  made.start = made.end - ran;
  trace::add_job(made, job.claimed.id, job.record.task);
  trace::add_number(made, "quarq.attempt", job.claimed.attempts);
  trace::add_text(made, "quarq.state", std::string(became));
  if (begun.created_by) made.links.push_back(std::move(*begun.created_by));
  const bool was_handed_back = became == to_string(job_state::queued);
  if (a.result != model::attempt::result_kind::returned && !was_handed_back)
    trace::fail(made, a.error_type, a.error);
  return made;
}

}  // namespace quarq::workers
