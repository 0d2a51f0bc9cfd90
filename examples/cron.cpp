// Work that comes round again: each second, and once at the start. A run that takes longer than a second
// keeps the next one waiting here, and further ones are skipped.
#include <chrono>
#include <iostream>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

quarq::awaitable<void> stop_later(quarq::worker& worker, const int& runs) {
  while (runs < 3) co_await quarq::sleep_for(20ms);
  worker.stop();
}

quarq::awaitable<void> both(quarq::worker& worker, const int& runs) {
  co_await quarq::gather(worker.run(), stop_later(worker, runs));
}

int main() {
  quarq::worker worker({.broker = "sqlite::memory:"});
  int runs = 0;
  worker.cron("tick",
              [&runs](quarq::context& ctx) -> quarq::awaitable<void> {
                const bool on_time = ctx.due_at().time_since_epoch() % 1s == 0s;
                std::cout << "tick " << ++runs << (on_time ? ", at a full second" : "") << std::endl;
                co_return;
              },
              {.second = "*", .overlap = quarq::overlap::after, .timeout = 10s});
  worker.cron("clean-up", [] { std::cout << "cleaning up before we start" << std::endl; },
              {.hour = 3, .minute = 30, .timezone = "Europe/London", .run_at_startup = true});
  // When it will be 03:30 on a working day in London after this Saturday, in UTC.
  const quarq::cron_schedule working_days("30 3 * * mon-fri", "Europe/London");
  const std::chrono::sys_days saturday = std::chrono::year{2026} / 3 / 28;
  const std::chrono::hh_mm_ss time(working_days.next(saturday) -
                                   std::chrono::sys_days(saturday + std::chrono::days(2)));
  std::cout << "Monday, " << time.hours().count() << ":" << time.minutes().count() << " UTC" << std::endl;
  quarq::run(both(worker, runs));
}

// It prints:
//   Monday, 2:30 UTC
//   cleaning up before we start
//   tick 1, at a full second
//   tick 2, at a full second
//   tick 3, at a full second
