#include "clients/job_news.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "clients/job_description.hpp"
#include "clients/service.hpp"

namespace quarq::clients {

namespace {

constexpr std::size_t max_reported = 10'000;

job_state shown_by(job_event::kind what, job_state state) {
  switch (what) {
    case job_event::kind::started:
      return job_state::running;
    case job_event::kind::retried:
      return job_state::deferred;
    case job_event::kind::returned:
      return job_state::queued;
    case job_event::kind::gone:
      return job_state::succeeded;  // failures are kept for a while
    case job_event::kind::ended:
      break;
  }
  return state;
}

std::string task_in(const broker::job_details& job) {
  auto task = task_of(job.record);
  return task.empty() ? readable_outcome(job).task : task;
}

}  // namespace

broker::time_point finished_at(const broker::job_details& job) {
  return broker::time_point(broker::milliseconds(readable_outcome(job).finished_ms));
}

std::string key_of_end(const broker::job_details& job, broker::time_point at) {
  return fmt::format("{} {}", at.time_since_epoch().count(), job.id);
}

std::string key_of_end(const broker::job_details& job) {
  return key_of_end(job, finished_at(job));
}

bool job_news::is_asked_for(job_event::kind what, job_state state) const {
  return which_.states.empty() || which_.states.contains(shown_by(what, state));
}

void job_news::add(job_event::kind what, broker::job_details job, std::string task) {
  if (!is_asked_for(what, job.state)) return;
  auto& event = events_.emplace_back();
  event.what = what;
  if (what == job_event::kind::ended || what == job_event::kind::retried) {
    const auto at = finished_at(job);
    if (at > broker::time_point()) event.finished_at = at;
  }
  event.job = std::move(job);
  event.task = std::move(task);
}

// Starts come first, in the order in which they were seen: a job that was seen to run may have ended before its
// look was over.
void job_news::put_in_order() {
  std::vector<job_event> ends;
  auto next = events_.begin() + static_cast<std::ptrdiff_t>(in_order_);
  for (auto one = next; one != events_.end(); ++one) {
    if (one->what != job_event::kind::started) {
      ends.push_back(std::move(*one));
    } else if (next++ != one) {
      *std::prev(next) = std::move(*one);
    }
  }
  const auto place = [](const job_event& e) {
    return std::tuple(e.finished_at.value_or(broker::time_point::max()), std::string_view(e.job.id),
                      e.job.attempts);
  };
  std::sort(ends.begin(), ends.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  std::move(ends.begin(), ends.end(), next);
  in_order_ = events_.size();
}

std::vector<job_event> job_news::take() {
  put_in_order();
  in_order_ = 0;
  return std::exchange(events_, {});
}

void job_news::see_running(const std::vector<broker::job_details>& jobs, bool are_all,
                           broker::time_point now) {
  put_in_order();
  const bool is_first = looks_++ == 0;
  saw_all_ = are_all;
  for (const auto& job : jobs) {
    auto found = running_.find(job.id);
    if (found == running_.end()) {
      if (running_.size() >= max_running || !which_.wants(job, now)) continue;
      found = running_.emplace(job.id, known{task_in(job), job.attempts, job.losses, looks_}).first;
      if (!is_first) add(job_event::kind::started, job, found->second.task);
      continue;
    }
    auto& its = found->second;
    const bool began_again = its.attempts != job.attempts || its.losses != job.losses;
    its.attempts = job.attempts;
    its.losses = job.losses;
    its.seen_at = looks_;
    if (began_again) add(job_event::kind::started, job, its.task);
  }
}

bool job_news::was_reported(const broker::job_details& job) {
  auto key = key_of_end(job);
  if (reported_before_.contains(key) || !reported_.insert(std::move(key)).second) return true;
  if (reported_.size() >= max_reported) reported_before_ = std::exchange(reported_, {});
  return false;
}

void job_news::add_end(broker::job_details job, std::string task) {
  if (was_reported(job)) return;
  ++counts_.ended;
  const auto failures = job_state::failed | job_state::dead | job_state::expired;
  if (failures.contains(job.state)) ++counts_.failed;
  add(job_event::kind::ended, std::move(job), std::move(task));
}

void job_news::see_ended(std::vector<broker::job_details> jobs, broker::time_point now, bool found_late) {
  for (auto& job : jobs) {
    const auto ran = running_.find(job.id);
    if (ran != running_.end()) {
      auto task = ran->second.task;
      if (!found_late || ran->second.seen_at != looks_) running_.erase(ran);
      add_end(std::move(job), std::move(task));
    } else if (which_.wants(job, now)) {
      auto task = task_in(job);
      add_end(std::move(job), std::move(task));
    }
  }
}

std::vector<std::string> job_news::missing(std::size_t max) {
  std::vector<std::string> ids;
  for (auto at = running_.begin(); at != running_.end();) {
    const bool is_missing = at->second.seen_at != looks_;
    if (is_missing && ids.size() >= max && saw_all_) {
      at = running_.erase(at);
      continue;
    }
    if (is_missing && ids.size() < max) ids.push_back(at->first);
    ++at;
  }
  return ids;
}

void job_news::found(const std::string& id, std::optional<broker::job_details> job) {
  const auto its = running_.find(id);
  if (its == running_.end()) return;
  if (job && job->state == job_state::running) {
    its->second.seen_at = looks_;
    return;
  }
  auto task = std::move(its->second.task);
  running_.erase(its);
  if (!job) {
    ++counts_.ended;
    job.emplace();
    job->id = id;
    job->state = job_state::succeeded;
    add(job_event::kind::gone, std::move(*job), std::move(task));
  } else if (is_final(job->state)) {
    add_end(std::move(*job), std::move(task));
  } else if (job->state == job_state::deferred && !job->outcome.empty()) {
    ++counts_.retried;
    add(job_event::kind::retried, std::move(*job), std::move(task));
  } else {
    add(job_event::kind::returned, std::move(*job), std::move(task));
  }
}

}  // namespace quarq::clients
