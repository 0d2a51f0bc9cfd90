#include "async/rate_schedule.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "base/assert.hpp"

namespace quarq::async {

using std::chrono::nanoseconds;

namespace {

// Sums of a few of them, and of a clock's times, don't overflow.
constexpr nanoseconds longest = std::chrono::hours(24 * 365 * 20);
constexpr nanoseconds default_burst{20'000'000};

nanoseconds interval_of(const rate_limiter_options& o) {
  if (o.permits == 0) throw usage_error("rate_limiter: 0 permits, expected at least 1");
  if (o.per <= nanoseconds(0))
    throw usage_error(fmt::format("rate_limiter: permits per {}, expected more than 0", o.per));
  const auto per = static_cast<std::uint64_t>(std::min(o.per, longest).count());
  const std::uint64_t rounded_up = per / o.permits + (per % o.permits == 0 ? 0 : 1);
  return nanoseconds(static_cast<nanoseconds::rep>(rounded_up));
}

nanoseconds tolerance_of(const rate_limiter_options& o, nanoseconds interval) {
  if (o.burst == 0) return std::max(default_burst / interval, nanoseconds::rep{1}) * interval - interval;
  const auto most = static_cast<std::size_t>(longest / interval);
  return static_cast<nanoseconds::rep>(std::min(o.burst - 1, most)) * interval;
}

}  // namespace

rate_schedule::rate_schedule(const rate_limiter_options& options)
    : interval_(interval_of(options)), tolerance_(tolerance_of(options, interval_)) {}

void rate_schedule::take(time_point now) noexcept {
  QUARQ_ASSERT(now >= next());
  full_ = std::max(full_, now) + interval_;
}

}  // namespace quarq::async
