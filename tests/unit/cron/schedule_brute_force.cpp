// When a schedule comes, compared with every second of some days on the clock of the C library.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/cron.hpp>

#include "cron/fields.hpp"

namespace quarq {
namespace {

using namespace std::chrono_literals;
using time_point = cron_schedule::time_point;

struct shown_time {
  std::tm parts{};
  std::time_t local = 0;  ///< as if it were UTC
};

// What that clock shows at each second in [from, to).
std::vector<shown_time> shown_in(const char* zone, std::time_t from, std::time_t to) {
  ::setenv("TZ", zone, 1);
  ::tzset();
  std::vector<shown_time> all;
  for (std::time_t t = from; t < to; ++t) {
    auto& shown = all.emplace_back();
    ::localtime_r(&t, &shown.parts);
    auto parts = shown.parts;
    shown.local = ::timegm(&parts);
  }
  ::unsetenv("TZ");
  ::tzset();
  return all;
}

bool matches(const cron::cron_sets& s, const std::tm& t) {
  const bool day = s.day[static_cast<std::size_t>(t.tm_mday)];
  const bool weekday = s.weekday[static_cast<std::size_t>((t.tm_wday + 6) % 7)];
  return s.second[static_cast<std::size_t>(t.tm_sec)] && s.minute[static_cast<std::size_t>(t.tm_min)] &&
         s.hour[static_cast<std::size_t>(t.tm_hour)] && s.month[static_cast<std::size_t>(t.tm_mon + 1)] &&
         (s.either_day ? day || weekday : day && weekday);
}

// All moments of the schedule, by the rules as documented. `shown` begins at `from`; what comes in its first
// `run_up` seconds is not asked for.
std::set<std::time_t> by_brute_force(const cron::cron_sets& s, const std::vector<shown_time>& shown,
                                     std::time_t from, std::time_t run_up) {
  std::set<std::time_t> all;
  const bool any_hour = s.hour.all();
  std::time_t latest = shown.front().local - 1;
  std::time_t t = from;
  for (const auto& [parts, local] : shown) {
    bool comes = matches(s, parts) && (any_hour || local > latest);
    for (std::time_t skipped = latest + 1; !any_hour && skipped < local && !comes; ++skipped) {
      std::tm never_shown{};
      ::gmtime_r(&skipped, &never_shown);
      comes = matches(s, never_shown);
    }
    if (comes && t >= from + run_up) all.insert(t);
    latest = std::max(latest, local);
    ++t;
  }
  return all;
}

std::string random_field(std::mt19937& random, int low, int high) {
  const auto pick = [&](int a, int b) { return std::uniform_int_distribution<int>(a, b)(random); };
  switch (pick(0, 4)) {
    case 0:
      return "*";
    case 1:
      return std::to_string(pick(low, high));
    case 2:
      return std::to_string(pick(low, high)) + "," + std::to_string(pick(low, high));
    case 3:
      return "*/" + std::to_string(pick(1, high - low + 1));
    default: {
      const int from = pick(low, high);
      return std::to_string(from) + "-" + std::to_string(pick(from, high));
    }
  }
}

TEST(cron_schedule_brute_force, nothing_between_a_moment_and_the_next_matches) {
  std::mt19937 random(20'240'331);
  const std::pair<const char*, std::chrono::year_month_day> changes[] = {
      {"Europe/London", 2024y / 3 / 31},      {"Europe/London", 2024y / 10 / 27},
      {"America/New_York", 2024y / 3 / 10},   {"America/New_York", 2024y / 11 / 3},
      {"Australia/Lord_Howe", 2024y / 4 / 6}, {"Australia/Lord_Howe", 2024y / 10 / 5},
      {"America/Sao_Paulo", 2018y / 11 / 4},  {"UTC", 2024y / 2 / 29},
  };
  std::size_t compared = 0;
  for (const auto& [zone, day] : changes) {
    const auto middle = std::chrono::sys_seconds(std::chrono::sys_days(day)).time_since_epoch().count();
    constexpr std::time_t run_up = 90'000;
    const std::time_t from = middle - 43'200, to = middle + 86'400;
    const auto shown = shown_in(zone, from - run_up, to);
    for (int i = 0; i < 12; ++i) {
      const auto text = random_field(random, 0, 59) + " " + random_field(random, 0, 59) + " " +
                        random_field(random, 0, 23) + " * * " + random_field(random, 0, 7);
      const auto expected = by_brute_force(cron::parse_crontab(text), shown, from - run_up, run_up);
      const cron_schedule s(text, zone);
      std::set<std::time_t> got;
      auto t = time_point(std::chrono::seconds(from - 1));
      while (true) {
        const auto after = s.next(t);
        ASSERT_GT(after, t);
        t = after;
        const auto second = std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
        if (second >= to) break;
        got.insert(second);
      }
      EXPECT_EQ(got, expected) << text << " " << zone << " around " << static_cast<int>(day.year()) << "-"
                               << static_cast<unsigned>(day.month()) << "-"
                               << static_cast<unsigned>(day.day());
      compared += expected.size();
    }
  }
  EXPECT_GT(compared, 1'000u);
}

}  // namespace
}  // namespace quarq
