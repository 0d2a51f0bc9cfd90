// Durations of any unit as the one that is needed here. The conversion of std::chrono wraps around: hours::max()
// would be less than no time.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq::detail {

__extension__ typedef __int128 wide_integer;

/// That long in the unit of To, rounded up, so that a wait is never shorter; the greatest or the least that To
/// can hold if it does not fit. NaN is zero.
template <class To, class Rep, class Period>
  requires std::is_arithmetic_v<Rep>
constexpr To clamped(std::chrono::duration<Rep, Period> value) noexcept {
  using ratio = std::ratio_divide<Period, typename To::period>;
  using limits = std::numeric_limits<typename To::rep>;
  if constexpr (std::is_floating_point_v<Rep>) {
    const long double exact = static_cast<long double>(value.count()) * ratio::num / ratio::den;
    if (exact != exact) return To::zero();
    if (exact >= static_cast<long double>(limits::max())) return To::max();
    if (exact <= static_cast<long double>(limits::min())) return To::min();
    const auto whole = static_cast<typename To::rep>(exact);
    return To(whole + (static_cast<long double>(whole) < exact));
  } else {
    const wide_integer exact = static_cast<wide_integer>(value.count()) * ratio::num;
    const wide_integer whole = exact / ratio::den + (exact % ratio::den > 0);
    if (whole > limits::max()) return To::max();
    if (whole < limits::min()) return To::min();
    return To(static_cast<typename To::rep>(whole));
  }
}

/// That long from now; the end of time if the clock can't show the sum.
template <class Rep, class Period>
std::chrono::steady_clock::time_point after(std::chrono::duration<Rep, Period> max) noexcept {
  using clock = std::chrono::steady_clock;
  const auto now = clock::now();
  const auto wait = clamped<clock::duration>(max);
  return wait > clock::time_point::max() - now ? clock::time_point::max() : now + wait;
}

}  // namespace quarq::detail
