#include "dashboard/stats.hpp"

#include <algorithm>
#include <tuple>

#include "codecs/utf8.hpp"

namespace quarq::dashboard {

namespace {

using std::chrono::minutes;

constexpr int most_steps = 120;

minutes step_for(minutes last) {
  for (const auto step : {minutes(1), minutes(5), minutes(10), minutes(30)}) {
    if (last / step <= most_steps) return step;
  }
  return minutes(60);
}

std::optional<double> seconds(const duration_histogram& times, double part) {
  if (times.count() == 0) return std::nullopt;
  return std::chrono::duration<double>(times.quantile(part)).count();
}

// What a step of time and a task have both.
template <class View>
void set_counts(View& to, const task_stats& s) {
  to.enqueued = s.enqueued;
  to.succeeded = s.succeeded;
  to.failed = s.failed + s.dead + s.expired;
  to.retried = s.retried;
  to.lost = s.lost;
  to.run_p50 = seconds(s.ran, 0.5);
  to.run_p95 = seconds(s.ran, 0.95);
}

}  // namespace

stats_sum::stats_sum(time_point now, minutes last) {
  const auto length = std::clamp<minutes>(last, minutes(1), stats_kept);
  step_ = step_for(length);
  // Whole steps since the epoch, so that a step has the same limits at each look.
  const auto since = (now + minutes(1) - length).time_since_epoch();
  from_ = time_point(since / step_ * step_);
  until_ = now + minutes(1);
}

void stats_sum::add(const std::vector<task_minute>& some) {
  for (const auto& one : some) {
    if (one.minute < from_ || one.minute >= until_) continue;
    steps_[from_ + (one.minute - from_) / step_ * step_].add(one.counts);
    tasks_[one.task].add(one.counts);
  }
}

stats_view stats_sum::view() const {
  stats_view all;
  all.step = std::chrono::seconds(step_).count();
  for (auto at = from_; at < until_; at += step_) {
    auto& step = all.steps.emplace_back();
    step.at = std::chrono::seconds(at.time_since_epoch()).count();
    const auto found = steps_.find(at);
    if (found == steps_.end()) continue;
    const auto& s = found->second;
    set_counts(step, s);
    step.wait_p50 = seconds(s.waited, 0.5);
    step.wait_p95 = seconds(s.waited, 0.95);
    step.wait_p99 = seconds(s.waited, 0.99);
    step.run_p99 = seconds(s.ran, 0.99);
  }
  for (const auto& [name, s] : tasks_) {
    auto& task = all.tasks.emplace_back();
    task.task = codecs::to_utf8(name);
    set_counts(task, s);
    task.run_total = std::chrono::duration<double>(s.ran.sum()).count();
  }
  std::ranges::sort(all.tasks, [](const auto& a, const auto& b) {
    return std::tie(b.run_total, a.task) < std::tie(a.run_total, b.task);
  });
  return all;
}

}  // namespace quarq::dashboard
