// What jobs say of themselves, on its way to the store.
#include <algorithm>
#include <utility>

#include "workers/job_runner.hpp"

namespace quarq::workers {

namespace {

// So that no step of a store takes long.
constexpr std::size_t max_notes_at_once = 100;

}  // namespace

model::job_notes job_runner::by_broker_time(const running_job& job, model::job_notes notes) const {
  notes.attempt = job.claimed.attempts;
  notes.enqueued_ms = job.claimed.enqueued_at.time_since_epoch().count();
  for (auto& line : notes.lines) {
    const clock::time_point by_clock{milliseconds(line.at_ms)};
    line.at_ms = broker_time(job, std::max(by_clock, job.started)).time_since_epoch().count();
    line.attempt = job.claimed.attempts;
  }
  return notes;
}

std::vector<job_runner::said> job_runner::take_notes() {
  std::vector<said> all;
  notebook_.begin_to_take();
  for (const auto& job : running_) {
    if (notebook_.is_empty()) break;
    if (!job.begun || job.settled || !job.is_ours()) continue;
    auto news = notebook_.take_news(job.ctx);
    if (!news) continue;
    const auto is_its = [&](const said& one) {
      return one.under.queue == job.from.lease.queue && one.notes.size() < max_notes_at_once;
    };
    auto its = std::find_if(all.begin(), all.end(), is_its);
    if (its == all.end()) its = all.insert(all.end(), said{job.from.lease, {}});
    its->notes.push_back({job.claimed.id, model::encode(by_broker_time(job, std::move(*news)))});
  }
  return all;
}

// Whether it has said anything in this attempt. Somebody will look for that, also where the end of a success says
// nothing else.
bool job_runner::add_notes(running_job& job, model::outcome& to) {
  const auto own = by_broker_time(job, notebook_.take_all(job.ctx));
  if (own.empty()) return false;
  auto all = model::notes_of(to.notes, {}, 0);
  all.append(own);
  to.notes = model::encode(all);
  if (job.keeps_state_only) {
    job.keeps_state_only = false;
    job.terms.keep_success = std::max(job.terms.keep_success, model::default_keep);
  }
  return true;
}

}  // namespace quarq::workers
