#include "cli/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "base/duration_text.hpp"
#include "codecs/hex.hpp"
#include "codecs/iso8601.hpp"
#include "codecs/utf8.hpp"

namespace quarq::cli {

namespace {

using code_points = std::pair<char32_t, char32_t>;

// Controls, and the marks, embeddings, overrides and isolates of writing direction.
constexpr std::array controls = {code_points{0x00, 0x1f},     code_points{0x7f, 0x9f},
                                 code_points{0x61c, 0x61c},   code_points{0x200e, 0x200f},
                                 code_points{0x2028, 0x202e}, code_points{0x2066, 0x2069}};
constexpr std::array without_width = {code_points{0x300, 0x36f},   code_points{0x200b, 0x200d},
                                      code_points{0x20d0, 0x20f0}, code_points{0xfe00, 0xfe0f},
                                      code_points{0xfe20, 0xfe2f}, code_points{0xfeff, 0xfeff}};
constexpr std::array two_wide = {
    code_points{0x1100, 0x115f},   code_points{0x2e80, 0x303e},   code_points{0x3041, 0xa4cf},
    code_points{0xac00, 0xd7a3},   code_points{0xf900, 0xfaff},   code_points{0xfe30, 0xfe6f},
    code_points{0xff00, 0xff60},   code_points{0xffe0, 0xffe6},   code_points{0x1f300, 0x1f64f},
    code_points{0x1f680, 0x1f6ff}, code_points{0x1f900, 0x1f9ff}, code_points{0x20000, 0x3fffd}};

template <std::size_t N>
bool within(const std::array<code_points, N>& ranges, char32_t c) noexcept {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](code_points r) { return c >= r.first && c <= r.second; });
}

// The next character of valid UTF-8, taken off the text.
struct character {
  char32_t code;
  std::string_view bytes;
};

character next(std::string_view& text) noexcept {
  const auto bytes = text.substr(0, std::max<std::size_t>(1, codecs::character_size(text)));
  text.remove_prefix(bytes.size());
  return {codecs::code_point(bytes), bytes};
}

std::size_t width_of(char32_t code) noexcept {
  if (code < 0x300) return 1;
  return within(without_width, code) ? 0 : within(two_wide, code) ? 2 : 1;
}

}  // namespace

std::string terminal_safe(std::string_view bytes) {
  const std::string text = codecs::to_utf8(bytes);
  std::string out;
  out.reserve(text.size());
  for (std::string_view rest = text; !rest.empty();) {
    const auto c = next(rest);
    if (!within(controls, c.code)) {
      out += c.bytes;
    } else if (c.code == '\n' || c.code == '\t') {
      out += c.code == '\n' ? "\\n" : "\\t";
    } else {
      codecs::append_hex(out += "\\u", c.code, 4);
    }
  }
  return out;
}

std::size_t width(std::string_view text) noexcept {
  std::size_t columns = 0;
  while (!text.empty()) columns += width_of(next(text).code);
  return columns;
}

std::string cut(std::string_view text, std::size_t columns) {
  if (width(text) <= columns) return std::string(text);
  std::string out;
  std::size_t used = 0;
  while (true) {
    const auto c = next(text);
    used += width_of(c.code);
    if (used >= columns) return out + "…";
    out += c.bytes;
  }
}

std::string rough(milliseconds duration) {
  using namespace std::chrono;
  if (duration < 1s) return fmt::format("{} ms", duration.count());
  if (duration < 2min) return fmt::format("{} s", floor<seconds>(duration).count());
  if (duration < 2h) return fmt::format("{} min", floor<minutes>(duration).count());
  if (duration < 48h) return fmt::format("{} h", floor<hours>(duration).count());
  return fmt::format("{} d", floor<days>(duration).count());
}

std::string relative(time_point when, time_point now) {
  if (when > now) return "in " + rough(when - now);
  return when == now ? "now" : rough(now - when) + " ago";
}

std::string iso8601(time_point when) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(when);
  const auto rest = std::chrono::nanoseconds(when - seconds);
  return codecs::to_iso8601({seconds.time_since_epoch().count(), static_cast<std::uint32_t>(rest.count())});
}

time_point now() {
  return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

milliseconds parse_duration(std::string_view option, std::string_view text) {
  return base::parse_duration(option, text);
}

std::chrono::system_clock::time_point parse_time(std::string_view option, std::string_view text) {
  const auto read = codecs::from_iso8601(text);
  if (!read) {
    throw usage_error(fmt::format(
        "{}: expected a time with its zone, like 2030-01-31T08:30:00Z or 2030-01-31T08:30+01:00, got \"{}\"",
        option, text));
  }
  // The system clock's nanoseconds end in the year 2262.
  constexpr std::int64_t last_second = 9'000'000'000;
  if (read->seconds < 0 || read->seconds > last_second) {
    throw usage_error(fmt::format("{}: expected a time from 1970 to 2255, got \"{}\"", option, text));
  }
  return std::chrono::system_clock::time_point(std::chrono::seconds(read->seconds) +
                                               std::chrono::nanoseconds(read->nanoseconds));
}

job_state parse_state(std::string_view option, std::string_view text) {
  const auto state = job_state_from(text);
  if (state) return *state;
  throw usage_error(
      fmt::format("{}: expected queued, deferred, running, succeeded, failed, cancelled, expired or dead, "
                  "got \"{}\"",
                  option, text));
}

int parse_number(std::string_view option, std::string_view text, int min, int max) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= min && number <= max)
    return number;
  throw usage_error(
      fmt::format("{}: expected a whole number from {} to {}, got \"{}\"", option, min, max, text));
}

}  // namespace quarq::cli
