#include "validation/conversion.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <system_error>

#include "base/text.hpp"
#include "validation/formats.hpp"

namespace quarq::validation {

namespace {

bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

struct unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr unit units[] = {{"ns", 1},
                          {"us", 1'000},
                          {"ms", 1'000'000},
                          {"s", 1'000'000'000},
                          {"m", 60'000'000'000},
                          {"h", 3'600'000'000'000},
                          {"d", 86'400'000'000'000}};

/// Takes "1500ms" from the front.
std::optional<wide_integer> take_part(std::string_view& text) noexcept {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || !is_digit(text[0])) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const auto letters = std::find_if(text.begin(), text.end(), is_digit) - text.begin();
  const std::string_view name = text.substr(0, static_cast<std::size_t>(letters));
  text.remove_prefix(name.size());
  for (const unit& one : units) {
    if (one.name == name) return static_cast<wide_integer>(count) * one.nanoseconds;
  }
  return std::nullopt;
}

}  // namespace

std::optional<bool> bool_from_text(std::string_view text) noexcept {
  text = base::trimmed(text, base::white_space);
  for (const std::string_view word : {"true", "t", "yes", "y", "on", "1"}) {
    if (equals_ignoring_case(text, word)) return true;
  }
  for (const std::string_view word : {"false", "f", "no", "n", "off", "0"}) {
    if (equals_ignoring_case(text, word)) return false;
  }
  return std::nullopt;
}

integer_fault integer_from_text(std::string_view text, wide_integer& value) noexcept {
  text = base::trimmed(text, base::white_space);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return integer_fault::syntax;
  value = 0;
  for (const char c : text) {
    value = value * 10 + (c - '0');
    if (value > (wide_integer{1} << 64)) return integer_fault::size;
  }
  if (negative) value = -value;
  return integer_fault::none;
}

std::optional<double> real_from_text(std::string_view text) noexcept {
  text = base::trimmed(text, base::white_space);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Either too great or too near to zero.
    const std::size_t exponent = text.find_first_of("eE");
    const bool is_tiny = text.find("-", 1) == exponent + 1 && exponent != std::string_view::npos;
    const double end_value = is_tiny ? 0.0 : std::numeric_limits<double>::infinity();
    return text[0] == '-' ? -end_value : end_value;
  }
  if (error != std::errc()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> duration_from_text(std::string_view text) noexcept {
  text = base::trimmed(text, base::white_space);
  wide_integer sum = 0;
  if (integer_from_text(text, sum) == integer_fault::syntax) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
    sum = 0;
    while (!text.empty()) {
      const auto part = take_part(text);
      if (!part) return std::nullopt;
      sum += *part;
    }
    if (negative) sum = -sum;
  }
  const auto result = static_cast<std::int64_t>(sum);
  if (result != sum) return std::nullopt;
  return result;
}

}  // namespace quarq::validation
