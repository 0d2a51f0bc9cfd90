// The time by another machine's clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace quarq::broker::redis_common {

/// The wall clock as it was at the first call, counting on by itself: a wall clock that is set later changes nothing.
/// Thread-safe.
struct steady_wall_clock {
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<steady_wall_clock>;
  static constexpr bool is_steady = true;

  static time_point now() {
    const auto steady = [] {
      return std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch());
    };
    static const duration ahead =
        std::chrono::duration_cast<duration>(std::chrono::system_clock::now().time_since_epoch()) - steady();
    return time_point(steady() + ahead);
  }
};

/// Knows the server's clock from what it said, and when it was asked and answered by a clock of ours. An
/// answer that took long, because it lay in the socket while this process stood still, says little and harms
/// nothing.
template <class Clock>
class server_clock {
 public:
  using micros = std::chrono::microseconds;
  using local_time = std::chrono::time_point<Clock, micros>;

  static local_time local_now() { return std::chrono::time_point_cast<micros>(Clock::now()); }

  /// The server said `server` (Unix time) to a question asked at `asked`, whose answer is here now.
  void heard(micros server, local_time asked, local_time now) {
    if (!heard_at_ || now - *window_began_ > window) {
      before_ = current_;
      current_ = range();
      window_began_ = now;
    }
    heard_at_ = now;
    const range said{(server - now.time_since_epoch()).count(), (server - asked.time_since_epoch()).count()};
    current_ = current_.with(said);
    // Both can't be true: one of the clocks was set.
    if (before_.with(current_).empty()) before_ = range();
    if (current_.empty()) current_ = said;
  }

  /// Nothing is known, or it is old.
  bool is_stale(local_time now) const { return !heard_at_ || now - *heard_at_ > window; }
  void forget() { *this = server_clock(last_); }

  /// Unix time by the server's clock, at the latest; nothing: the server has not said anything yet.
  std::optional<micros> latest(local_time now) const {
    if (!heard_at_) return std::nullopt;
    return now.time_since_epoch() + micros(before_.with(current_).max);
  }

  /// Unix time by the server's clock, in milliseconds with a fraction. Where the two clocks agree as far as
  /// one can tell, ours is taken. It grows with each call: no two jobs get the same moment. `ahead`: that
  /// many more will be asked for at once, and are not to run into the future.
  double next_ms(local_time now, std::size_t ahead) {
    const double guess = static_cast<double>(now.time_since_epoch().count() + offset()) / 1000;
    last_ = std::max(guess - step_ms * static_cast<double>(ahead), last_ + step_ms);
    // After the server's clock was set back; better out of order than late.
    if (last_ > guess + max_lead_ms) last_ = guess;
    return last_;
  }

  server_clock() = default;

 private:
  explicit server_clock(double last) : last_(last) {}

  // The offset of the server's clock is not below `min` and not above `max`, in microseconds.
  struct range {
    std::int64_t min = std::numeric_limits<std::int64_t>::min();
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
    range with(const range& o) const { return {std::max(min, o.min), std::min(max, o.max)}; }
    bool empty() const { return min > max; }
  };

  std::int64_t offset() const {
    const auto known = before_.with(current_);
    return std::clamp<std::int64_t>(0, known.min, known.max);
  }

  static constexpr std::chrono::seconds window{30};
  static constexpr double step_ms = 1.0 / 4000;  // the resolution of a double
  static constexpr double max_lead_ms = 20;

  range current_, before_;
  std::optional<local_time> heard_at_, window_began_;
  double last_ = 0;
};

}  // namespace quarq::broker::redis_common
