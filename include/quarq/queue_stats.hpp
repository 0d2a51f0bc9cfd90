// What has happened in a queue, minute by minute and task by task.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

/// How long things took: a count for each range of time.
class duration_histogram {
 public:
  using microseconds = std::chrono::microseconds;

  /// The upper bounds of the ranges, included; the last range has none.
  static constexpr std::array<microseconds, 25> bounds = [] {
    std::array<microseconds, 25> all{};
    std::int64_t decade = 100;
    for (std::size_t i = 0; i < all.size(); ++i) {
      constexpr std::int64_t steps[] = {1, 2, 5};
      all[i] = microseconds(decade * steps[i % 3]);
      if (i % 3 == 2) decade *= 10;
    }
    return all;
  }();
  static constexpr std::size_t ranges = bounds.size() + 1;

  void add(microseconds time) noexcept;
  void add(const duration_histogram& other) noexcept;

  /// How many there were in this range, and in all.
  std::uint64_t count(std::size_t range) const noexcept { return counts_[range]; }
  std::uint64_t count() const noexcept;
  microseconds sum() const noexcept { return sum_; }
  /// The time that a part of all (0 to 1) did not exceed, as far as the ranges tell: within one, times are taken to be
  /// spread evenly. 0 where there are none; the last bound at most.
  microseconds quantile(double part) const noexcept;

  /// For stores.
  void set(std::size_t range, std::uint64_t count) noexcept { counts_[range] = count; }
  void set_sum(microseconds sum) noexcept { sum_ = sum; }

  friend bool operator==(const duration_histogram&, const duration_histogram&) = default;

 private:
  std::array<std::uint64_t, ranges> counts_{};
  microseconds sum_{0};
};

/// Counts of what happened. Each end of an attempt is one of those from `succeeded` to `retried`, unless the job was
/// handed back or lost.
struct task_stats {
  std::uint64_t enqueued = 0;   ///< by quarq's clients
  std::uint64_t started = 0;    ///< attempts
  std::uint64_t succeeded = 0;  ///< jobs; so are the next four
  std::uint64_t failed = 0;
  std::uint64_t dead = 0;
  std::uint64_t cancelled = 0;  ///< by their workers: while they ran, or were about to
  std::uint64_t expired = 0;
  std::uint64_t retried = 0;  ///< attempts that failed and were followed by another
  std::uint64_t lost = 0;     ///< attempts that were lost with their worker
  duration_histogram waited;  ///< of first attempts: from when the job was due to its start
  duration_histogram ran;     ///< of attempts, however they ended

  void add(const task_stats& other) noexcept;
  bool empty() const noexcept { return *this == task_stats(); }

  friend bool operator==(const task_stats&, const task_stats&) = default;
};

/// What happened in one minute with the jobs of one task.
struct task_minute {
  using time_point = std::chrono::sys_time<std::chrono::minutes>;

  time_point minute;  ///< its beginning, by the broker's clock
  /// Empty: losses, of whatever task; and what happened with jobs whose task is not known. Beyond fifty tasks of a
  /// minute, the others are counted together as "*".
  std::string task;
  task_stats counts;
};

/// For how long brokers keep this.
inline constexpr std::chrono::hours stats_kept{72};

}  // namespace quarq
