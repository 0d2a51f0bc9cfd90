#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/cron.hpp>
#include <quarq/errors.hpp>

namespace quarq {
namespace {

using namespace std::chrono_literals;
using time_point = cron_schedule::time_point;

// "2024-02-01 00:00:10.050000", UTC; what is left out is zero.
time_point at(const char* text) {
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  char fraction[8] = "";
  std::sscanf(text, "%d-%d-%d %d:%d:%d.%7[0-9]", &y, &mo, &d, &h, &mi, &s, fraction);
  const std::chrono::sys_days day{std::chrono::year{y} / mo / d};
  auto padded = std::string(fraction);
  padded.resize(6, '0');
  return day + std::chrono::hours(h) + std::chrono::minutes(mi) + std::chrono::seconds(s) +
         std::chrono::microseconds(std::stoi(padded));
}

std::string show(time_point m) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(m);
  const std::time_t t = seconds.time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&t, &parts);
  char text[64];
  const auto length = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  const auto us = (m - seconds).count();
  auto shown = std::string(text, length);
  if (us != 0) shown += "." + std::string(6 - std::to_string(us).size(), '0') + std::to_string(us);
  return shown;
}

std::string next(const cron_schedule& s, const char* after) {
  return show(s.next(at(after)));
}
std::string next(const cron_options& o, const char* after) {
  return next(cron_schedule(o), after);
}
std::string next(const char* crontab, const char* after) {
  return next(cron_schedule(crontab), after);
}

// The next `count` moments.
std::vector<std::string> coming(const cron_schedule& s, const char* after, int count) {
  std::vector<std::string> all;
  auto t = at(after);
  for (int i = 0; i < count; ++i) {
    t = s.next(t);
    all.push_back(show(t).substr(5, 11));
  }
  return all;
}
using strings = std::vector<std::string>;

template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const usage_error& e) {
    return e.what();
  }
  return "nothing was thrown";
}
std::string error_of(const cron_options& o) {
  return error_of([&] { cron_schedule{o}; });
}
std::string error_of(const char* crontab) {
  return error_of([&] { cron_schedule{crontab}; });
}

constexpr int arqs = 123'456;

TEST(cron_schedule, comes_as_arq_says) {
  EXPECT_EQ(next({.second = 10, .microsecond = arqs}, "2024-01-01 00:00:10.050000"),
            "2024-01-01 00:01:10.123456");
  EXPECT_EQ(next({.second = 10, .microsecond = arqs}, "2024-01-01 00:00:09.900000"),
            "2024-01-01 00:00:10.123456");
  EXPECT_EQ(next({.second = 10}, "2024-01-01 00:00:09.999999"), "2024-01-01 00:00:10");
  EXPECT_EQ(next({.second = {}}, "2024-01-01 00:00:10"), "2024-01-01 00:00:11");
  EXPECT_EQ(next({.microsecond = arqs}, "2024-01-01 00:00:10"), "2024-01-01 00:01:00.123456");
  EXPECT_EQ(next({.month = 2, .day = 29, .hour = 0, .minute = 0, .microsecond = arqs}, "2024-02-01"),
            "2024-02-29 00:00:00.123456");
  EXPECT_EQ(next({.month = 2, .day = 29}, "2024-02-01"), "2024-02-29 00:00:00");
  EXPECT_EQ(next({.month = 2, .day = 29}, "2024-03-01"), "2028-02-29 00:00:00");
  EXPECT_EQ(next({.weekday = {0, 2}, .hour = {1, 2}, .minute = {5}, .microsecond = arqs}, "2024-01-01"),
            "2024-01-01 01:05:00.123456");
  EXPECT_EQ(next({.weekday = "THURS"}, "2024-01-01"), "2024-01-04 00:00:00");
  EXPECT_EQ(next({.day = 13, .weekday = "fri"}, "2024-01-01"), "2024-09-13 00:00:00");
}

// As arq's own tests have it.
TEST(cron_schedule, comes_as_arq_is_tested) {
  const std::tuple<cron_options, const char*, const char*> cases[] = {
      {{.second = 20}, "2016-06-01 12:10:10", "2016-06-01 12:10:20"},
      {{.minute = 11}, "2016-06-01 12:10:10", "2016-06-01 12:11:00"},
      {{.month = 6, .day = 1, .hour = 12, .minute = 10, .second = 10},
       "2016-06-01 12:10:11",
       "2017-06-01 12:10:10"},
      {{.day = 1, .hour = 12, .minute = 10, .second = 10},
       "2016-06-01 12:10:10.000001",
       "2016-07-01 12:10:10"},
      {{.day = 28}, "2032-01-31", "2032-02-28 00:00:00"},
      {{.hour = 4}, "2032-01-01 00:05:00", "2032-01-01 04:00:00"},
      {{.hour = 4, .minute = {2, 4, 6}}, "2032-01-01 00:00:00", "2032-01-01 04:02:00"},
      {{.hour = 4, .minute = {2, 4, 6}}, "2032-01-01 00:05:00", "2032-01-01 04:02:00"},
      {{.day = 31}, "2032-02-05", "2032-03-31 00:00:00"},
      {{.weekday = "Sun"}, "2001-01-01", "2001-01-07 00:00:00"},
      {{.weekday = 6}, "2001-01-01", "2001-01-07 00:00:00"},
      {{.month = 11, .weekday = 2}, "2001-01-01", "2001-11-07 00:00:00"},
      {{.weekday = "wed"}, "2001-01-01", "2001-01-03 00:00:00"},
  };
  for (const auto& [options, after, expected] : cases) {
    EXPECT_EQ(next(options, after), expected);
    auto later = options;
    later.microsecond = arqs;
    EXPECT_EQ(next(later, after), std::string(expected) + ".123456");
  }
}

TEST(cron_schedule, comes_the_same_however_long_before_it_is_asked) {
  const std::tuple<std::chrono::seconds, cron_options, const char*> cases[] = {
      {1s, {.microsecond = 59'867}, "2001-01-01 00:00:00.059867"},
      {59s, {.second = 28}, "2023-01-01 01:59:28"},
      {3'600s, {.minute = 10, .second = 20, .microsecond = arqs}, "2016-06-01 12:10:20.123456"},
      {68'400s, {.hour = 3, .microsecond = arqs}, "2032-01-01 03:00:00.123456"},
      {60 * 68'400s, {.day = 31, .minute = 59, .microsecond = arqs}, "2032-03-31 00:59:00.123456"},
      {7 * 68'400s, {.weekday = "tues", .minute = 59, .microsecond = arqs}, "2032-03-30 00:59:00.123456"},
      {175 * 68'400s, {.day = 13, .weekday = "fri", .microsecond = 1}, "2032-08-13 00:00:00.000001"},
      {365 * 68'400s, {.month = 10, .day = 4, .hour = 23, .microsecond = arqs}, "2032-10-04 23:00:00.123456"},
  };
  for (const auto& [longest, options, expected] : cases) {
    const cron_schedule s(options);
    for (int part = 0; part <= 20; ++part) {
      const auto before = at(expected) - 1'100ms - (longest - 1s) * part / 20;
      EXPECT_EQ(show(s.next(before)), expected) << "after " << show(before);
    }
  }
}

TEST(cron_schedule, a_field_is_a_number_numbers_a_name_or_text) {
  EXPECT_EQ(next({.minute = 30}, "2024-01-01"), "2024-01-01 00:30:00");
  EXPECT_EQ(next({.minute = {0, 30}}, "2024-01-01 00:10:00"), "2024-01-01 00:30:00");
  EXPECT_EQ(next({.minute = std::set<int>{7, 8}}, "2024-01-01 00:07:00"), "2024-01-01 00:08:00");
  EXPECT_EQ(next({.minute = "*/20"}, "2024-01-01 00:20:00"), "2024-01-01 00:40:00");
  EXPECT_EQ(next({.month = "mar", .weekday = {"mon", "friday"}}, "2024-01-01"), "2024-03-01 00:00:00");
  EXPECT_EQ(next({.weekday = "sat-sun"}, "2024-01-01"), "2024-01-06 00:00:00");
  EXPECT_EQ(next({.weekday = 6}, "2024-01-01"), "2024-01-07 00:00:00");
  EXPECT_EQ(next({.weekday = "sun-sun"}, "2024-01-01"), "2024-01-07 00:00:00");
}

TEST(cron_schedule, a_range_from_sunday_to_sunday_is_sunday) {
  for (const char* days : {"sun-sun", "0-sun", "7-sun", "0-0", "7-7", "SUN-Sunday", "sun-sun/2"}) {
    const cron_schedule schedule(std::string("0 0 * * ") + days);
    EXPECT_EQ(next(schedule, "2024-01-01"), "2024-01-07 00:00:00") << days;
    EXPECT_EQ(next(schedule, "2024-01-07"), "2024-01-14 00:00:00") << days;
  }
  EXPECT_EQ(next("0 0 * * mon,sun-sun", "2024-01-01"), "2024-01-07 00:00:00");
  EXPECT_EQ(next("0 0 * * fri-sun", "2024-01-06"), "2024-01-07 00:00:00");
  EXPECT_EQ(next("0 0 * * 0-7", "2024-01-01"), "2024-01-02 00:00:00");
  EXPECT_EQ(next("0 0 * dec-dec *", "2024-01-01"), "2024-12-01 00:00:00");
}

TEST(cron_schedule, day_and_weekday_are_both_required_of_fields_and_one_of_a_crontab) {
  EXPECT_EQ(next({.day = {1, 15}, .weekday = "mon", .hour = 0, .minute = 0}, "2024-02-01"),
            "2024-04-01 00:00:00");
  EXPECT_EQ(next("0 0 1,15 * mon", "2024-02-01"), "2024-02-05 00:00:00");
  EXPECT_EQ(next("0 0 1,15 * mon", "2024-02-12"), "2024-02-15 00:00:00");
  // A field that begins with * restricts nothing there, whatever step follows.
  EXPECT_EQ(next("0 0 */2 * mon", "2024-02-01"), "2024-02-05 00:00:00");
  EXPECT_EQ(next("0 0 */2 * mon", "2024-02-05"), "2024-02-19 00:00:00");
}

TEST(cron_schedule, reads_crontabs) {
  EXPECT_EQ(next("30 3 * * 1-5", "2024-01-05 03:30:00"), "2024-01-08 03:30:00");
  EXPECT_EQ(next("30 3 * * mon-fri", "2024-01-05 03:30:00"), "2024-01-08 03:30:00");
  EXPECT_EQ(next("  30\t3 * * Fri-Sun ", "2024-01-01"), "2024-01-05 03:30:00");
  EXPECT_EQ(next("0 0 * * 7", "2024-01-01"), "2024-01-07 00:00:00");
  EXPECT_EQ(next("0 0 * * 0", "2024-01-01"), "2024-01-07 00:00:00");
  EXPECT_EQ(next("0 0 * * 5-7", "2024-01-06"), "2024-01-07 00:00:00");
  EXPECT_EQ(next("0 8-18/5 * * *", "2024-01-01 08:00:00"), "2024-01-01 13:00:00");
  EXPECT_EQ(next("5/20 0 * * *", "2024-01-01 00:05:00"), "2024-01-01 00:25:00");
  EXPECT_EQ(next("*/15 30 3 1 jan *", "2024-01-01 03:30:15"), "2024-01-01 03:30:30");
  EXPECT_EQ(next("@hourly", "2024-01-01 00:00:00"), "2024-01-01 01:00:00");
  EXPECT_EQ(next("@daily", "2024-01-01 00:00:00"), "2024-01-02 00:00:00");
  EXPECT_EQ(next("@Weekly", "2024-01-01"), "2024-01-07 00:00:00");
  EXPECT_EQ(next("@monthly", "2024-01-01"), "2024-02-01 00:00:00");
  EXPECT_EQ(next("@annually", "2024-01-01"), "2025-01-01 00:00:00");
  EXPECT_EQ(next({.crontab = "@yearly"}, "2024-01-01"), "2025-01-01 00:00:00");
}

TEST(cron_schedule, errors_name_the_field_and_the_column) {
  EXPECT_EQ(error_of("30 24 * * *"), "crontab \"30 24 * * *\": hour, column 4: expected 0 to 23, got 24");
  EXPECT_EQ(error_of("0 0 * * mon,xyz"),
            "crontab \"0 0 * * mon,xyz\": weekday, column 13: \"xyz\" is no name of a weekday");
  EXPECT_EQ(error_of("0 0 0 * *"), "crontab \"0 0 0 * *\": day, column 5: expected 1 to 31, got 0");
  EXPECT_EQ(error_of("0 0 9-5 * *"),
            "crontab \"0 0 9-5 * *\": day, column 5: the range \"9-5\" ends before it begins");
  EXPECT_EQ(error_of("*/0 0 * * *"),
            "crontab \"*/0 0 * * *\": minute, column 3: expected a step from 1 to 60, got 0");
  EXPECT_EQ(error_of("*/ 0 * * *"), "crontab \"*/ 0 * * *\": minute, column 3: expected a step, got nothing");
  EXPECT_EQ(error_of("1,,2 0 * * *"),
            "crontab \"1,,2 0 * * *\": minute, column 3: expected a number, got \",\"");
  EXPECT_EQ(error_of("1x 0 * * *"), "crontab \"1x 0 * * *\": minute, column 2: expected \",\", got \"x\"");
  EXPECT_EQ(error_of("0 0 L * *"), "crontab \"0 0 L * *\": day, column 5: expected a number, got \"L\"");
  EXPECT_EQ(error_of("99999999999 0 * * *"),
            "crontab \"99999999999 0 * * *\": minute, column 1: \"99999999999\" is too large");
  EXPECT_EQ(
      error_of("0 0 * *"),
      "crontab \"0 0 * *\": expected five fields (minute hour day month weekday), or six with the second "
      "before them, got 4");
  EXPECT_NE(error_of("@reboot").find("run_at_startup"), std::string::npos);
  EXPECT_NE(error_of("").find("got 0"), std::string::npos);

  EXPECT_EQ(error_of({.hour = 24}), "hour \"24\": column 1: expected 0 to 23, got 24");
  EXPECT_EQ(error_of({.minute = {0, 75}}), "minute \"0,75\": column 3: expected 0 to 59, got 75");
  EXPECT_EQ(error_of({.minute = -1}), "minute \"-1\": column 1: expected a number, got \"-\"");
  EXPECT_EQ(error_of({.weekday = 7}), "weekday \"7\": column 1: expected 0 to 6, got 7");
  EXPECT_EQ(error_of({.weekday = "th"}), "weekday \"th\": column 1: \"th\" is no name of a weekday");
  EXPECT_EQ(error_of({.minute = std::set<int>{}}), "minute \"\": column 1: expected a number, got nothing");
  EXPECT_EQ(error_of({.microsecond = 1'000'000}), "microsecond: expected 0 to 999999, got 1000000");
  EXPECT_NE(error_of({.hour = 3, .crontab = "@daily"}).find("either a crontab or fields"), std::string::npos);
  EXPECT_NE(error_of({.timezone = "Europe/Lundon"}).find("time zone \"Europe/Lundon\""), std::string::npos);
  EXPECT_NE(error_of({.timezone = ""}).find("time zone \"\""), std::string::npos);
}

TEST(cron_schedule, what_never_comes_is_refused) {
  EXPECT_EQ(error_of("0 0 30 2 *"), "cron schedule \"0 0 30 2 * UTC\" never comes: no month has such a day");
  EXPECT_NE(error_of({.month = {4, 6}, .day = 31}).find("never comes"), std::string::npos);
  // Rare is not never.
  EXPECT_EQ(next({.month = 2, .day = 29, .weekday = "sat"}, "2100-01-01"), "2116-02-29 00:00:00");
}

TEST(cron_schedule, times_beyond_reason_are_refused) {
  const cron_schedule daily("@daily");
  EXPECT_NE(error_of([&] { daily.next(time_point::max()); }).find("years 1900 to 9000"), std::string::npos);
  EXPECT_NE(error_of([&] { daily.next(time_point::min()); }).find("years 1900 to 9000"), std::string::npos);
}

TEST(cron_schedule, a_time_that_the_clocks_skip_comes_when_they_change) {
  // London, 2024-03-31: 01:00 GMT became 02:00 BST.
  EXPECT_EQ(coming(cron_schedule("30 1 * * *", "Europe/London"), "2024-03-30", 3),
            (strings{"03-30 01:30", "03-31 01:00", "04-01 00:30"}));
  // Several skipped times, and the one to which the clocks jump, come once.
  EXPECT_EQ(coming(cron_schedule("*/15 0-2 * * *", "Europe/London"), "2024-03-31 00:30:00", 3),
            (strings{"03-31 00:45", "03-31 01:00", "03-31 01:15"}));
  // New York, 2024-03-10: 02:00 EST became 03:00 EDT, at 07:00 UTC.
  EXPECT_EQ(coming(cron_schedule("30 2 * * *", "America/New_York"), "2024-03-09", 3),
            (strings{"03-09 07:30", "03-10 07:00", "03-11 06:30"}));
  // Lord Howe, 2024-10-06: 02:00 +10:30 became 02:30 +11, at 15:30 UTC of the day before.
  EXPECT_EQ(coming(cron_schedule("15 2 * * *", "Australia/Lord_Howe"), "2024-10-04 12:00:00", 3),
            (strings{"10-04 15:45", "10-05 15:30", "10-06 15:15"}));
}

TEST(cron_schedule, a_time_that_the_clocks_show_twice_comes_once) {
  // London, 2024-10-27: 02:00 BST became 01:00 GMT, at 01:00 UTC.
  EXPECT_EQ(coming(cron_schedule("30 1 * * *", "Europe/London"), "2024-10-26", 3),
            (strings{"10-26 00:30", "10-27 00:30", "10-28 01:30"}));
  EXPECT_EQ(next(cron_schedule("30 1 * * *", "Europe/London"), "2024-10-27 01:10:00"), "2024-10-28 01:30:00");
  // New York, 2024-11-03: 02:00 EDT became 01:00 EST, at 06:00 UTC.
  EXPECT_EQ(coming(cron_schedule("0 1 * * *", "America/New_York"), "2024-11-02 00:00:00", 3),
            (strings{"11-02 05:00", "11-03 05:00", "11-04 06:00"}));
  // Lord Howe, 2024-04-07: 02:00 +11 became 01:30 +10:30, at 15:00 UTC of the day before.
  EXPECT_EQ(coming(cron_schedule("45 1 * * *", "Australia/Lord_Howe"), "2024-04-05 12:00:00", 3),
            (strings{"04-05 14:45", "04-06 14:45", "04-07 15:15"}));
}

TEST(cron_schedule, in_any_hour_the_rhythm_goes_on) {
  for (const char* zone : {"Europe/London", "America/New_York"}) {
    for (const char* day : {"2024-03-10", "2024-03-31", "2024-10-27", "2024-11-03"}) {
      const cron_schedule s("*/20 * * * *", zone);
      auto t = at(day);
      for (int i = 0; i < 3 * 24; ++i) {
        const auto after = s.next(t);
        EXPECT_EQ(after - t, 20min) << zone << " after " << show(t);
        t = after;
      }
    }
  }
  // Where clocks change by half an hour, what they skip is left out, and what they show twice comes twice.
  EXPECT_EQ(coming(cron_schedule("45 * * * *", "Australia/Lord_Howe"), "2024-04-06 13:00:00", 4),
            (strings{"04-06 13:45", "04-06 14:45", "04-06 15:15", "04-06 16:15"}));
}

TEST(cron_schedule, a_day_that_was_left_out_comes_when_the_next_one_begins) {
  // Samoa crossed the date line: after 2011-12-29 came 2011-12-31, at 10:00 UTC on the 30th.
  EXPECT_EQ(coming(cron_schedule("0 9 * * *", "Pacific/Apia"), "2011-12-29", 3),
            (strings{"12-29 19:00", "12-30 10:00", "12-30 19:00"}));
}

TEST(cron_schedule, says_what_it_is) {
  EXPECT_EQ(cron_schedule("30 3 * * mon-fri", "Europe/London").text(), "30 3 * * mon-fri Europe/London");
  EXPECT_EQ(cron_schedule(cron_options{.weekday = {"sat", "sun"}, .hour = 3}).text(), "* 3 * * sat,sun UTC");
}

}  // namespace
}  // namespace quarq
