// When a cron schedule comes next, on the clocks of any time zone. Plain functions of time: no clock is read
// here.
#include <chrono>
#include <optional>

#include <date/tz.h>
#include <fmt/format.h>

#include <quarq/cron.hpp>
#include <quarq/errors.hpp>

#include "cron/fields.hpp"

namespace quarq {

using std::chrono::days;
using std::chrono::seconds;
using sys_second = std::chrono::sys_seconds;
/// What the clock on the wall shows.
using local_second = std::chrono::local_seconds;
using local_day = std::chrono::local_days;

namespace {

using std::chrono::year;

// The Gregorian calendar repeats itself, weekdays included, after 400 years.
constexpr int calendar_cycle_days = 146'097;

const date::time_zone* find_zone(std::string_view name) {
  if (name == "UTC") return nullptr;  // needs no database
  try {
    return date::locate_zone(std::string(name));
  } catch (const std::exception& e) {
    throw usage_error(fmt::format(
        "time zone \"{}\": expected a name such as Europe/London that the time zone database of this machine "
        "(package tzdata) knows: {}",
        name, e.what()));
  }
}

}  // namespace

struct cron_schedule::rules {
  cron::cron_sets sets;
  std::chrono::microseconds fraction{0};
  const date::time_zone* zone = nullptr;  ///< none: UTC. Zones live as long as the program
  std::string text;

  rules(cron::cron_sets s, std::string written, std::string_view zone_name)
      : sets(s), zone(find_zone(zone_name)), text(fmt::format("{} {}", written, zone_name)) {
    const local_day start = std::chrono::local_days{std::chrono::year{2000} / 1 / 1};
    if (!next_day(start, start + days(calendar_cycle_days))) {
      throw usage_error(fmt::format("cron schedule \"{}\" never comes: no month has such a day", text));
    }
  }

  bool matches_day(const std::chrono::year_month_day& date, local_day day) const {
    const bool by_day = sets.day[static_cast<unsigned>(date.day())];
    const bool by_weekday = sets.weekday[std::chrono::weekday(day).iso_encoding() - 1];
    return sets.either_day ? by_day || by_weekday : by_day && by_weekday;
  }

  // The first day that matches, from `day` on, but before `end`.
  std::optional<local_day> next_day(local_day day, local_day end) const {
    while (day < end) {
      const std::chrono::year_month_day date(day);
      if (!sets.month[static_cast<unsigned>(date.month())]) {
        const auto next_month = date.year() / date.month() + std::chrono::months(1);
        day = local_day(next_month / 1);
        continue;
      }
      if (matches_day(date, day)) return day;
      day += days(1);
    }
    return std::nullopt;
  }

  // The first time of day that matches, not before `from`.
  std::optional<seconds> next_time(seconds from) const {
    const std::chrono::hh_mm_ss start(from);
    auto h = static_cast<std::size_t>(start.hours().count());
    auto m = static_cast<std::size_t>(start.minutes().count());
    auto s = static_cast<std::size_t>(start.seconds().count());
    for (; h < 24; ++h, m = 0, s = 0) {
      if (!sets.hour[h]) continue;
      for (; m < 60; ++m, s = 0) {
        if (!sets.minute[m]) continue;
        for (; s < 60; ++s) {
          if (sets.second[s]) return std::chrono::hours(h) + std::chrono::minutes(m) + seconds(s);
        }
      }
    }
    return std::nullopt;
  }

  // The first local time that matches and is not before `from`.
  local_second next_local(local_second from) const {
    const auto today = std::chrono::floor<days>(from);
    const auto day = next_day(today, today + days(calendar_cycle_days + 1)).value();
    if (day == today) {
      if (const auto time = next_time(from - today)) return day + *time;
    } else {
      return day + *next_time(seconds(0));
    }
    return *next_day(today + days(1), today + days(calendar_cycle_days + 2)) + *next_time(seconds(0));
  }

  // The offset in force at `when`, and until when.
  std::pair<seconds, sys_second> offset_at(sys_second when) const {
    if (zone == nullptr) return {seconds(0), sys_second::max()};
    const auto info = zone->get_info(when);
    return {info.offset, info.end};
  }

  // The schedule names hours: when the clock on the wall shows `when` first. Skipped by a clock change: the
  // moment of the change.
  sys_second moment_of(local_second when) const {
    if (zone == nullptr) return sys_second(when.time_since_epoch());
    const auto info = zone->get_info(date::local_seconds(when.time_since_epoch()));
    if (info.result == date::local_info::nonexistent) return info.first.end;
    return sys_second(when.time_since_epoch()) - info.first.offset;
  }

  sys_second next_by_wall_clock(sys_second after) const {
    const auto offset = offset_at(after).first;
    local_second local((after + offset).time_since_epoch());
    while (true) {
      local = next_local(local + seconds(1));
      // Shown for the second time, an hour later: it has been, the first time.
      if (const auto when = moment_of(local); when > after) return when;
    }
  }

  sys_second next_by_passing_time(sys_second after) const {
    while (true) {
      const auto from = after + seconds(1);
      const auto [offset, change] = offset_at(from);
      const auto local = next_local(local_second((from + offset).time_since_epoch()));
      const auto when = sys_second(local.time_since_epoch()) - offset;
      if (when < change) return when;
      after = change - seconds(1);
    }
  }
};

namespace {

std::string written(const cron_options& o) {
  return fmt::format("{}{} {} {} {} {}", o.second.text() == "0" ? "" : o.second.text() + " ", o.minute.text(),
                     o.hour.text(), o.day.text(), o.month.text(), o.weekday.text());
}

cron::cron_sets sets_of(const cron_options& o) {
  cron::cron_sets sets;
  using cron::cron_part;
  if (o.crontab.empty()) {
    cron::parse_cron_field(cron_part::month, o.month.text(), sets);
    cron::parse_cron_field(cron_part::day, o.day.text(), sets);
    cron::parse_cron_field(cron_part::weekday, o.weekday.text(), sets);
    cron::parse_cron_field(cron_part::hour, o.hour.text(), sets);
    cron::parse_cron_field(cron_part::minute, o.minute.text(), sets);
    cron::parse_cron_field(cron_part::second, o.second.text(), sets);
    return sets;
  }
  if (written(o) != written(cron_options())) {
    throw usage_error(fmt::format(
        "crontab \"{}\": a schedule has either a crontab or fields, and here also fields are given: {}",
        o.crontab, written(o)));
  }
  return cron::parse_crontab(o.crontab);
}

}  // namespace

cron_schedule::cron_schedule(std::string_view crontab, std::string_view zone_name)
    : rules_(std::make_shared<const rules>(cron::parse_crontab(crontab), std::string(crontab), zone_name)) {}

cron_schedule::cron_schedule(const cron_options& options) {
  auto made = std::make_shared<rules>(
      sets_of(options), options.crontab.empty() ? written(options) : options.crontab, options.timezone);
  if (options.microsecond < 0 || options.microsecond > 999'999) {
    throw usage_error(fmt::format("microsecond: expected 0 to 999999, got {}", options.microsecond));
  }
  made->fraction = std::chrono::microseconds(options.microsecond);
  rules_ = std::move(made);
}

cron_schedule::time_point cron_schedule::next(time_point after) const {
  constexpr std::chrono::sys_days first{year{1900} / 1 / 1}, last{year{9001} / 1 / 1};
  if (after < first || after >= last) {
    throw usage_error(
        fmt::format("cron schedule \"{}\": asked for what comes after {} s of Unix time: expected a time in "
                    "the years 1900 to 9000",
                    text(), std::chrono::floor<seconds>(after).time_since_epoch().count()));
  }
  const auto second = std::chrono::floor<seconds>(after);
  const bool any_hour = rules_->sets.hour.all();
  const auto found = any_hour ? rules_->next_by_passing_time(second) : rules_->next_by_wall_clock(second);
  return found + rules_->fraction;
}

const std::string& cron_schedule::text() const noexcept {
  return rules_->text;
}

}  // namespace quarq
