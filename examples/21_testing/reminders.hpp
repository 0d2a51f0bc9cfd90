// What is tested: a service that reminds people, and tries again while their mail servers are busy.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <quarq/quarq.hpp>

inline constexpr quarq::task<std::string(std::string name, int day)> remind{"remind", "name", "day"};

/// How mail leaves; a test gives another one. May throw.
using mailer = std::function<void(const std::string& to, const std::string& text)>;

inline void add_handlers(quarq::worker& worker, mailer send) {
  using namespace std::chrono_literals;
  const auto do_remind = [send](quarq::context& ctx, std::string name, int day) {
    if (name.empty()) throw quarq::permanent_failure("nobody to remind");
    send(name, "day " + std::to_string(day));
    return name + " was reminded at try " + std::to_string(ctx.attempt());
  };
  worker.handle(remind, do_remind, {.retry = quarq::backoff::exponential(1min, 1h).attempts(4)});
}

/// The part of the program that enqueues: one reminder for each of the next days.
inline quarq::awaitable<void> plan_reminders(quarq::queue queue, std::string name, int days) {
  std::vector<quarq::call<std::string>> calls;
  for (int day = 1; day <= days; ++day)
    calls.push_back(remind(name, day).delay(std::chrono::hours(24 * day)));
  auto jobs = co_await queue.enqueue(std::move(calls));
}
