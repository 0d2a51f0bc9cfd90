#include <algorithm>
#include <cmath>
#include <numeric>

#include <quarq/queue_stats.hpp>

#include "model/task_counters.hpp"

namespace quarq {

void duration_histogram::add(microseconds time) noexcept {
  time = std::max(time, microseconds(0));
  const auto range = std::lower_bound(bounds.begin(), bounds.end(), time) - bounds.begin();
  ++counts_[static_cast<std::size_t>(range)];
  sum_ += time;
}

void duration_histogram::add(const duration_histogram& other) noexcept {
  for (std::size_t i = 0; i < ranges; ++i) counts_[i] += other.counts_[i];
  sum_ += other.sum_;
}

std::uint64_t duration_histogram::count() const noexcept {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

duration_histogram::microseconds duration_histogram::quantile(double part) const noexcept {
  const auto all = static_cast<double>(count());
  const double wanted = std::clamp(part, 0.0, 1.0) * all;
  double below = 0;
  for (std::size_t i = 0; i < ranges && all > 0; ++i) {
    const auto here = static_cast<double>(counts_[i]);
    if (here == 0 || below + here < wanted) {
      below += here;
      continue;
    }
    const auto upper = bounds[std::min(i, bounds.size() - 1)];
    const auto lower = i == 0 ? microseconds(0) : bounds[i - 1];
    const double within = static_cast<double>((upper - lower).count()) * (wanted - below) / here;
    return lower + microseconds(std::llround(within));
  }
  return microseconds(0);
}

void task_stats::add(const task_stats& other) noexcept {
  for (const auto counter : model::task_counters) this->*counter += other.*counter;
  waited.add(other.waited);
  ran.add(other.ran);
}

}  // namespace quarq
