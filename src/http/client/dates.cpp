#include "http/client/dates.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "http/coding/list.hpp"
#include "http/message/characters.hpp"

namespace quarq::http {

namespace {

using namespace std::chrono;

bool separates(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u == 0x09 || (u >= 0x20 && u <= 0x2f) || (u >= 0x3b && u <= 0x40) || (u >= 0x5b && u <= 0x60) ||
         (u >= 0x7b && u <= 0x7e);
}

// Takes a number of min to max digits; behind it there may be anything but a digit.
bool take_number(std::string_view& text, std::size_t min, std::size_t max, int& value) {
  std::size_t size = 0;
  while (size < text.size() && is(text[size], character::digit)) ++size;
  if (size < min || size > max) return false;
  std::from_chars(text.data(), text.data() + size, value);
  text.remove_prefix(size);
  return true;
}

struct time_of_day {
  int hours = 0, minutes = 0, seconds = 0;
};

std::optional<time_of_day> time_of(std::string_view token) {
  time_of_day t;
  for (int* const part : {&t.hours, &t.minutes, &t.seconds}) {
    if (part != &t.hours) {
      if (!token.starts_with(':')) return std::nullopt;
      token.remove_prefix(1);
    }
    if (!take_number(token, 1, 2, *part)) return std::nullopt;
  }
  return t;
}

std::optional<int> number_of(std::string_view token, std::size_t min, std::size_t max) {
  int value = 0;
  if (!take_number(token, min, max, value)) return std::nullopt;
  return value;
}

std::optional<int> month_of(std::string_view token) {
  constexpr std::array<std::string_view, 12> names{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
  for (std::size_t i = 0; i < names.size(); ++i)
    if (equal_names(token.substr(0, 3), names[i])) return static_cast<int>(i) + 1;
  return std::nullopt;
}

template <class T>
bool set_once(std::optional<T>& place, std::optional<T> value) {
  if (place || !value) return false;
  place = value;
  return true;
}

}  // namespace

std::optional<sys_seconds> parse_date(std::string_view text) {
  std::optional<time_of_day> time;
  std::optional<int> day, month, year;
  while (!text.empty()) {
    const auto begin = std::find_if_not(text.begin(), text.end(), separates);
    text.remove_prefix(static_cast<std::size_t>(begin - text.begin()));
    const auto size =
        static_cast<std::size_t>(std::find_if(text.begin(), text.end(), separates) - text.begin());
    const auto token = text.substr(0, size);
    text.remove_prefix(size);
    if (token.empty()) break;
    [[maybe_unused]] const bool is_known =
        set_once(time, time_of(token)) || set_once(day, number_of(token, 1, 2)) ||
        set_once(month, month_of(token)) || set_once(year, number_of(token, 2, 4));
  }
  if (!time || !day || !month || !year) return std::nullopt;
  if (*year >= 70 && *year <= 99) *year += 1900;
  if (*year >= 0 && *year <= 69) *year += 2000;
  const year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day)));
  if (*year < 1601 || !date.ok() || time->hours > 23 || time->minutes > 59 || time->seconds > 59)
    return std::nullopt;
  return sys_days(date) + hours(time->hours) + minutes(time->minutes) + seconds(time->seconds);
}

system_clock::time_point on_system_clock(sys_seconds when) noexcept {
  constexpr sys_seconds last = sys_days(std::chrono::year(2200) / 1 / 1);
  return std::clamp(when, sys_seconds(), last);
}

std::optional<milliseconds> retry_after_of(std::string_view field, system_clock::time_point now) {
  constexpr milliseconds max = hours(24);
  field = base::trimmed(field);
  if (field.empty()) return std::nullopt;
  if (all_are(field, character::digit)) {
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (failure != std::errc() || value > max / seconds(1)) return max;
    return seconds(value);
  }
  const auto when = parse_date(field);
  if (!when) return std::nullopt;
  return std::clamp(ceil<milliseconds>(on_system_clock(*when) - now), milliseconds(0), max);
}

milliseconds kept_alive_for(std::string_view keep_alive, milliseconds max) {
  for (const auto element : list_elements(keep_alive)) {
    const auto equals = element.find('=');
    if (equals == element.npos || !equal_names(base::trimmed(element.substr(0, equals)), "timeout")) continue;
    const auto value = number_of(base::trimmed(element.substr(equals + 1)), 1, 6);
    if (value) return std::clamp(milliseconds(seconds(*value - 1)), milliseconds(0), max);
  }
  return max;
}

}  // namespace quarq::http
