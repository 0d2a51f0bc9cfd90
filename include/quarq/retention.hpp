// How long the end of a job is kept: for a duration, or forever.
#pragma once

#include <chrono>
#include <compare>
#include <concepts>
#include <optional>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

/// The type of quarq::forever.
struct forever_t {
  explicit forever_t() = default;
};
inline constexpr forever_t forever{};

/// A duration or forever, and made from either: `keep_result(10min)`, `keep_result(forever)`.
class retention {
 public:
  using milliseconds = std::chrono::milliseconds;

  constexpr retention(forever_t) noexcept {}
  template <std::convertible_to<milliseconds> Duration>
  constexpr retention(Duration duration) : duration_(duration) {}

  /// nullopt: forever.
  constexpr std::optional<milliseconds> duration() const noexcept { return duration_; }

  friend constexpr bool operator==(const retention&, const retention&) = default;
  /// Forever is longer than any duration.
  friend constexpr std::strong_ordering operator<=>(const retention& a, const retention& b) noexcept {
    if (a.duration_ && b.duration_) return a.duration_->count() <=> b.duration_->count();
    return b.duration_.has_value() <=> a.duration_.has_value();
  }

 private:
  std::optional<milliseconds> duration_;
};

}  // namespace quarq
