#include "codecs/iso8601.hpp"

#include <array>
#include <chrono>
#include <cstdio>

#include <quarq/detail/duration.hpp>

namespace quarq::codecs {

namespace {

constexpr std::int64_t seconds_per_day = 86400;

struct civil_date {
  std::int64_t year;
  unsigned month, day;
};

// chrono's year ends at 32767, a msgpack timestamp far beyond: so whole periods of 400 years, in which the
// calendar repeats, are set aside first.
constexpr std::int64_t years_per_period = 400;
constexpr std::int64_t days_per_period = 146097;

/// The calendar day `days` after 1970-01-01.
civil_date date_of(std::int64_t days) {
  const std::int64_t period = days / days_per_period - (days % days_per_period < 0);
  const auto rest = std::chrono::days(days - period * days_per_period);
  const std::chrono::year_month_day date{std::chrono::sys_days(rest)};
  return {static_cast<int>(date.year()) + period * years_per_period, static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day())};
}

/// Reads a text from left to right; once something is not there, every later question answers no.
class scanner {
 public:
  explicit scanner(std::string_view text) noexcept : text_(text) {}

  bool good() const noexcept { return good_; }
  bool at_end() const noexcept { return text_.empty(); }
  bool next_is(std::string_view any_of) const noexcept {
    return !text_.empty() && any_of.find(text_.front()) != std::string_view::npos;
  }
  bool take_if(std::string_view any_of) noexcept {
    const bool found = next_is(any_of);
    if (found) text_.remove_prefix(1);
    return found;
  }
  void take(std::string_view any_of) noexcept { good_ = take_if(any_of) && good_; }
  int number(int digits, int max) noexcept {
    int value = 0;
    for (int i = 0; i < digits; ++i) value = value * 10 + digit();
    good_ = good_ && value <= max;
    return value;
  }
  bool next_is_digit() const noexcept { return next_is("0123456789"); }
  int digit() noexcept {
    good_ = good_ && next_is_digit();
    if (!good_) return 0;
    const int value = text_.front() - '0';
    text_.remove_prefix(1);
    return value;
  }

 private:
  std::string_view text_;
  bool good_ = true;
};

// Four digits. ISO 8601 has years before 0 and after 9999 with a sign, and with more digits.
std::int64_t scan_year(scanner& in) {
  constexpr int max_digits = 12;  // more would not fit into a timestamp
  const bool negative = in.take_if("-");
  const bool expanded = negative || in.take_if("+");
  std::int64_t year = in.number(4, 9999);
  int digits = 4;
  for (; expanded && digits < max_digits && in.next_is_digit(); ++digits) year = year * 10 + in.digit();
  if (expanded && !negative && digits == 4) in.take("");
  return negative ? -year : year;
}

/// The days from 1970-01-01 to this one.
std::int64_t scan_date(scanner& in) {
  const std::int64_t full_year = scan_year(in);
  const std::int64_t period = full_year / years_per_period - (full_year % years_per_period < 0);
  const std::chrono::year year(static_cast<int>(full_year - period * years_per_period));
  in.take("-");
  const std::chrono::month month(static_cast<unsigned>(in.number(2, 12)));
  in.take("-");
  const std::chrono::day day(static_cast<unsigned>(in.number(2, 31)));
  const auto date = year / month / day;
  if (!date.ok()) in.take("");
  return std::chrono::sys_days(date).time_since_epoch().count() + period * days_per_period;
}

std::uint32_t scan_fraction(scanner& in) {
  std::uint32_t nanoseconds = static_cast<std::uint32_t>(in.digit()) * 100'000'000;
  for (std::uint32_t place = 10'000'000; place > 0 && in.next_is_digit(); place /= 10)
    nanoseconds += static_cast<std::uint32_t>(in.digit()) * place;
  return nanoseconds;
}

/// Seconds east of Greenwich.
std::int64_t scan_zone(scanner& in) {
  if (in.take_if("Zz")) return 0;
  const int sign = in.next_is("-") ? -1 : 1;
  in.take("+-");
  const int hours = in.number(2, 23);
  const bool colon = in.take_if(":");
  const int minutes = colon || !in.at_end() ? in.number(2, 59) : 0;
  return sign * (hours * 3600 + minutes * 60);
}

}  // namespace

std::string to_iso8601(timestamp moment) {
  const std::int64_t days = moment.seconds / seconds_per_day - (moment.seconds % seconds_per_day < 0);
  const auto second =
      static_cast<int>((moment.seconds % seconds_per_day + seconds_per_day) % seconds_per_day);
  const civil_date date = date_of(days);
  const bool usual = date.year >= 0 && date.year <= 9999;
  std::array<char, 80> text;
  int size = std::snprintf(text.data(), text.size(),
                           usual ? "%04lld-%02u-%02uT%02d:%02d:%02d" : "%+05lld-%02u-%02uT%02d:%02d:%02d",
                           static_cast<long long>(date.year), date.month, date.day, second / 3600,
                           second / 60 % 60, second % 60);
  std::string out(text.data(), static_cast<std::size_t>(size));
  if (moment.nanoseconds != 0) {
    size = std::snprintf(text.data(), text.size(), ".%09u", moment.nanoseconds);
    std::string_view fraction(text.data(), static_cast<std::size_t>(size));
    while (fraction.ends_with("000")) fraction.remove_suffix(3);
    out += fraction;
  }
  return out + 'Z';
}

std::optional<timestamp> from_iso8601(std::string_view text) noexcept {
  scanner in(text);
  timestamp moment;
  detail::wide_integer seconds = static_cast<detail::wide_integer>(scan_date(in)) * seconds_per_day;
  in.take("Tt ");
  seconds += in.number(2, 23) * 3600;
  in.take(":");
  seconds += in.number(2, 59) * 60;
  if (in.take_if(":")) {
    seconds += in.number(2, 59);
    if (in.take_if(".,")) moment.nanoseconds = scan_fraction(in);
  }
  seconds -= scan_zone(in);
  moment.seconds = static_cast<std::int64_t>(seconds);
  if (!in.good() || !in.at_end() || moment.seconds != seconds) return std::nullopt;
  return moment;
}

}  // namespace quarq::codecs
