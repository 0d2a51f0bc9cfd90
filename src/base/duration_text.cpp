#include "base/duration_text.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>

namespace quarq::base {

using std::chrono::milliseconds;

namespace {

constexpr std::array<std::pair<std::string_view, double>, 5> units = {
    {{"ms", 1}, {"s", 1e3}, {"min", 60e3}, {"h", 3600e3}, {"d", 86400e3}}};

// A number without a sign and its unit, taken off the text, in milliseconds.
std::optional<double> take_part(std::string_view& text, bool alone) {
  if (text.find_first_of("0123456789") != 0) return std::nullopt;
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (alone && text.empty()) return number * 1e3;
  const std::string_view word = text.substr(0, text.find_first_of("0123456789"));
  for (const auto& [name, in_ms] : units) {
    if (word != name) continue;
    text.remove_prefix(word.size());
    return number * in_ms;
  }
  return std::nullopt;
}

}  // namespace

milliseconds parse_duration(std::string_view option, std::string_view text) {
  constexpr double max_ms = 1e15;
  double sum = 0;
  std::string_view rest = text;
  do {
    const auto part = take_part(rest, rest.size() == text.size());
    if (!part) {
      throw usage_error(fmt::format(
          "{}: expected a duration like 10s, 5min, 1h30min, 250ms or 2d, got \"{}\"", option, text));
    }
    sum += *part;
  } while (!rest.empty());
  if (sum > max_ms) throw usage_error(fmt::format("{}: {} is too long", option, text));
  return milliseconds(static_cast<milliseconds::rep>(sum + 0.5));
}

}  // namespace quarq::base
