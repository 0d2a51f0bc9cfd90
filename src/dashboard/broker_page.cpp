#include "dashboard/broker_page.hpp"

#include <algorithm>

#include "metrics/openmetrics_text.hpp"
#include "metrics/worker_page.hpp"

namespace quarq::dashboard {

namespace {

using metrics::labels;
using kind = metrics::openmetrics_text::kind;

}  // namespace

std::string broker_page(const overview_view& of, unix_ms now) {
  metrics::openmetrics_text page;
  page.family("quarq_broker_up", kind::gauge, "Whether the broker has answered.");
  page.sample({}, std::uint64_t{of.trouble.empty()});
  // What was known before would be taken for what is.
  if (of.trouble.empty()) {
    page.family("quarq_queue_jobs", kind::gauge, "Jobs in each state; kept: ends that can be looked up.");
    for (const auto& q : of.queues) {
      const auto add = [&](std::string_view state, std::uint64_t count) {
        page.sample(labels{{"queue", q.name}, {"state", state}}, count);
      };
      add("queued", q.queued);
      add("deferred", q.deferred);
      add("running", q.running);
      add("dead", q.dead);
      add("kept", q.kept);
    }
    page.family("quarq_queue_oldest_ready_seconds", kind::gauge,
                "For how long the next ready job has waited; 0 without one.", "seconds");
    for (const auto& q : of.queues) {
      const auto waited = q.oldest ? std::max(now - *q.oldest, unix_ms{0}) : 0;
      page.sample(labels{{"queue", q.name}}, static_cast<double>(waited) / 1000);
    }
    page.family("quarq_queue_workers", kind::gauge, "Live workers of the queue.");
    for (const auto& q : of.queues) page.sample(labels{{"queue", q.name}}, q.workers);
    page.family("quarq_queue_paused", kind::gauge, "Whether the queue is paused.");
    for (const auto& q : of.queues) page.sample(labels{{"queue", q.name}}, std::uint64_t{q.paused});
    page.family("quarq_queue_unserved", kind::gauge,
                "Whether jobs are ready that no live worker will run, as far as that is known.");
    for (const auto& q : of.queues)
      page.sample(labels{{"queue", q.name}}, std::uint64_t{!q.unserved.empty()});
  }
  metrics::add_process(page);
  page.end();
  return page.take();
}

}  // namespace quarq::dashboard
