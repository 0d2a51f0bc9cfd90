// How long a scope took, on the standard error: quarq::debug_timer.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

/// What debug_timer is; `Prints` is false with QUARQ_NO_DEBUG.
template <bool Prints>
class basic_debug_timer {
 public:
  using nanoseconds = std::chrono::nanoseconds;

  /// Starts the clock.
  explicit basic_debug_timer(std::string label);
  /// Stops it.
  ~basic_debug_timer();
  basic_debug_timer(const basic_debug_timer&) = delete;
  basic_debug_timer& operator=(const basic_debug_timer&) = delete;

  /// Prints and returns the time since the last lap, or since the start: "load: lap 2 (parsed): 3.5 ms, 5 ms
  /// in all". Zero, and nothing is printed, once it has been stopped.
  nanoseconds lap(std::string_view name = {});
  /// Prints the whole time, "load: 12 ms", after laps also their mean, and returns it. Later calls only
  /// return it.
  nanoseconds stop();
  /// The time since the start, or until stop(). Prints nothing.
  nanoseconds elapsed() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

extern template class basic_debug_timer<true>;
extern template class basic_debug_timer<false>;

/// Prints how long a scope took when it ends, in human units, where QUARQ_DEBUG prints to:
///     quarq::debug_timer timer("load");
/// With QUARQ_NO_DEBUG it measures, and prints nothing. Thread safety: one thread at a time.
#ifdef QUARQ_NO_DEBUG
using debug_timer = basic_debug_timer<false>;
#else
using debug_timer = basic_debug_timer<true>;
#endif

}  // namespace quarq
