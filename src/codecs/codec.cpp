#include <charconv>
#include <cmath>
#include <limits>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

namespace quarq::detail {

void begin_arguments(decoder& in, std::size_t expected) {
  const std::size_t found = in.array();
  if (found != expected)
    in.fail("expected " + std::to_string(expected) +
            (expected == 1 ? " argument, got " : " arguments, got ") + std::to_string(found));
}

float decode_float(decoder& in) {
  constexpr float max = std::numeric_limits<float>::max();
  // From here on the nearest float would be infinity; what is nearer to `max` is `max` in its shortest form.
  constexpr double too_far = 0x1.ffffffp127;
  const double value = in.real();
  const double distance = std::abs(value);
  if (distance > max && distance < too_far) return std::copysign(max, static_cast<float>(value < 0 ? -1 : 1));
  if (std::isfinite(value) && distance > max) {
    char digits[32];
    const auto result = std::to_chars(digits, digits + sizeof digits, value);
    in.fail("expected number in the range of float, got " + std::string(digits, result.ptr));
  }
  return static_cast<float>(value);
}

void fail_time_range() {
  throw usage_error("a duration or time is too far from zero: 2^63 nanoseconds, 292 years, is the most");
}

void fail_unnamed_enumerator(std::int64_t value) {
  throw usage_error("an enum holds " + std::to_string(value) +
                    ", which none of its described enumerators is");
}

void fail_enumerator(decoder& in, const std::string& names, const std::string& got) {
  in.fail("expected one of " + names + ", got " + got);
}

}  // namespace quarq::detail
