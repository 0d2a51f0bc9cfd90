// Schedules for tests of cron jobs.
#pragma once

#include <chrono>
#include <string>

#include <fmt/format.h>

#include <quarq/cron.hpp>

#include "broker/broker.hpp"

namespace quarq::test {

/// The id of the run of the cron job "tick" at this time.
inline std::string run_id(broker::time_point due) {
  return fmt::format("cron:tick:{}", due.time_since_epoch().count());
}

/// Handlers run on the loop: they share what the tests look at.
inline cron_options each_second() {
  cron_options when;
  when.second = "*";
  when.on = level::loop;
  return when;
}

/// Once a year, at the second `due`.
inline cron_options only_at(broker::time_point due) {
  const auto day = std::chrono::floor<std::chrono::days>(due);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(due - day));
  cron_options when;
  when.month = static_cast<int>(static_cast<unsigned>(date.month()));
  when.day = static_cast<int>(static_cast<unsigned>(date.day()));
  when.hour = static_cast<int>(time.hours().count());
  when.minute = static_cast<int>(time.minutes().count());
  when.second = static_cast<int>(time.seconds().count());
  when.on = level::loop;
  return when;
}

}  // namespace quarq::test
