// Work that comes round again: each second, and each night and once at the start. A run that takes longer
// than a second keeps the next one waiting here, and further ones are skipped.
#include <chrono>
#include <iostream>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

int main() {
  quarq::worker worker({.broker = "sqlite::memory:"});
  int ticks = 0, clean_ups = 0;
  const auto tick = [&](quarq::context& ctx) -> quarq::awaitable<void> {
    const bool on_time = ctx.due_at().time_since_epoch() % 1s == 0s;
    std::cout << "tick " << ++ticks << (on_time ? ", meant for a full second" : "") << std::endl;
    if (ticks == 3) worker.stop();
    co_return;
  };
  const auto clean_up = [&]() -> quarq::awaitable<void> {
    ++clean_ups;
    co_return;
  };
  worker.cron("tick", tick, {.second = "*", .overlap = quarq::overlap::after, .timeout = 10s});
  worker.cron("clean-up", clean_up,
              {.hour = 3, .minute = 30, .timezone = "Europe/London", .run_at_startup = true});
  quarq::run(worker.run());
  std::cout << "cleaned up: " << clean_ups << std::endl;

  // When it will be 03:30 on a working day in London after this Saturday, in UTC.
  const quarq::cron_schedule working_days("30 3 * * mon-fri", "Europe/London");
  const std::chrono::sys_days saturday = std::chrono::year{2026} / 3 / 28;
  const std::chrono::hh_mm_ss time(working_days.next(saturday) - (saturday + std::chrono::days(2)));
  std::cout << "Monday, " << time.hours().count() << ":" << time.minutes().count() << " UTC" << std::endl;
}

// It prints:
//   tick 1, meant for a full second
//   tick 2, meant for a full second
//   tick 3, meant for a full second
//   cleaned up: 1
//   Monday, 2:30 UTC
