#include "cli/rates.hpp"

#include <fmt/format.h>

namespace quarq::cli {

namespace {

std::uint64_t failures(const task_stats& s) {
  return s.failed + s.dead + s.expired + s.cancelled;
}

}  // namespace

std::string rate(std::uint64_t count_in_rate_time) {
  if (count_in_rate_time == 0) return {};
  const double per_minute = static_cast<double>(count_in_rate_time) / static_cast<double>(rate_time.count());
  return per_minute < 10 ? fmt::format("{:.1f}/min", per_minute) : fmt::format("{:.0f}/min", per_minute);
}

std::uint64_t ended(const task_stats& s) {
  return s.succeeded + failures(s);
}

std::uint64_t failed_attempts(const task_stats& s) {
  return failures(s) + s.retried;
}

}  // namespace quarq::cli
