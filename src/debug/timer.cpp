#include "debug/timer.hpp"

#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include <quarq/debug.hpp>
#include <quarq/debug_timer.hpp>

#include "base/text.hpp"
#include "debug/escape.hpp"
#include "debug/terminal.hpp"

namespace quarq::debug {

std::string short_duration(std::chrono::nanoseconds duration) {
  using namespace std::chrono_literals;
  if (duration < 1us) return fmt::format("{} ns", duration.count());
  if (duration < 10us) return fmt::format("{:.1f} us", static_cast<double>(duration.count()) / 1e3);
  return base::human_duration(std::chrono::duration_cast<std::chrono::microseconds>(duration));
}

std::string lap_line(std::string_view label, std::size_t number, std::string_view name,
                     std::chrono::nanoseconds lap, std::chrono::nanoseconds all) {
  const auto named = name.empty() ? std::string() : fmt::format(" ({})", escaped(name, 0));
  return fmt::format("{}: lap {}{}: {}, {} in all\n", escaped(label, 0), number, named, short_duration(lap),
                     short_duration(all));
}

std::string end_line(std::string_view label, std::chrono::nanoseconds all, std::size_t laps,
                     std::chrono::nanoseconds in_laps) {
  const auto time = fmt::format("{}: {}", escaped(label, 0), short_duration(all));
  if (laps == 0) return time + "\n";
  return fmt::format("{}, {} lap{} of {} on average\n", time, laps, laps == 1 ? "" : "s",
                     short_duration(in_laps / static_cast<std::int64_t>(laps)));
}

}  // namespace quarq::debug

namespace quarq {

template <bool Prints>
struct basic_debug_timer<Prints>::state {
  using clock = std::chrono::steady_clock;

  std::string label;
  clock::time_point begin = clock::now();
  clock::time_point lap_begin = begin;
  clock::time_point end{};
  std::size_t laps = 0;
  bool is_stopped = false;

  void print(const std::string& line) const { debug::write_whole(get_debug_options().file, line); }
};

template <bool Prints>
basic_debug_timer<Prints>::basic_debug_timer(std::string label)
    : state_(new state{.label = std::move(label)}) {}

template <bool Prints>
basic_debug_timer<Prints>::~basic_debug_timer() {
  stop();
}

template <bool Prints>
std::chrono::nanoseconds basic_debug_timer<Prints>::lap(std::string_view name) {
  state& now = *state_;
  if (now.is_stopped) return {};
  const auto end = state::clock::now();
  const nanoseconds lap = end - now.lap_begin;
  now.lap_begin = end;
  ++now.laps;
  if constexpr (Prints) now.print(debug::lap_line(now.label, now.laps, name, lap, end - now.begin));
  return lap;
}

template <bool Prints>
std::chrono::nanoseconds basic_debug_timer<Prints>::stop() {
  state& now = *state_;
  if (now.is_stopped) return elapsed();
  now.end = state::clock::now();
  now.is_stopped = true;
  if constexpr (Prints) now.print(debug::end_line(now.label, elapsed(), now.laps, now.lap_begin - now.begin));
  return elapsed();
}

template <bool Prints>
std::chrono::nanoseconds basic_debug_timer<Prints>::elapsed() const noexcept {
  return (state_->is_stopped ? state_->end : state::clock::now()) - state_->begin;
}

template class basic_debug_timer<true>;
template class basic_debug_timer<false>;

}  // namespace quarq
