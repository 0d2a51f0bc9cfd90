// Tests with GoogleTest, without a server and without waiting: a day is over as soon as the test says so.
#include "reminders.hpp"

#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/testing.hpp>

using namespace std::chrono_literals;

namespace {

struct mail {
  std::string to, text;
  bool operator==(const mail&) const = default;
};

// ---- one call, here and now

TEST(remind, tries_again_while_the_mail_server_is_busy) {
  int calls = 0;
  quarq::worker worker;
  add_handlers(worker, [&](const std::string&, const std::string&) {
    if (++calls < 3) throw std::runtime_error("busy");
  });
  // The pauses of one and two minutes are skipped.
  EXPECT_EQ(quarq::run(quarq::testing::run_now(worker, remind("Ann", 1))), "Ann was reminded at try 3");
}

TEST(remind, gives_up_after_four_attempts) {
  quarq::worker worker;
  add_handlers(worker, [](const std::string&, const std::string&) { throw std::runtime_error("busy"); });
  EXPECT_THROW(quarq::run(quarq::testing::run_now(worker, remind("Ann", 1))), quarq::retries_exhausted);
}

TEST(remind, refuses_an_empty_name_at_once) {
  quarq::worker worker;
  add_handlers(worker, [](const std::string&, const std::string&) { FAIL() << "no mail is to be sent"; });
  EXPECT_THROW(quarq::run(quarq::testing::run_now(worker, remind("", 1))), quarq::job_failed);
}

// ---- what was enqueued

quarq::awaitable<void> look_at_the_queue() {
  quarq::queue queue("sqlite::memory:");
  co_await plan_reminders(queue, "Ann", 2);
  const auto calls = co_await quarq::testing::enqueued(queue, remind);
  const std::vector<std::tuple<std::string, int>> expected{{"Ann", 1}, {"Ann", 2}};
  EXPECT_EQ(calls, expected);
}

TEST(plan_reminders, enqueues_one_for_each_day) {
  quarq::run(look_at_the_queue());
}

// ---- time passes

quarq::awaitable<void> live_through_two_days(quarq::worker& worker, quarq::testing::clock& clock,
                                             const std::vector<mail>& sent) {
  quarq::queue queue("sqlite::memory:");
  const auto first = co_await queue.enqueue(remind("Ann", 1).delay(24h));
  const auto second = co_await queue.enqueue(remind("Ann", 2).delay(48h));

  clock.advance(24h);
  co_await first.result();
  const std::vector<mail> expected{{"Ann", "day 1"}};
  EXPECT_EQ(sent, expected);
  const auto state = co_await second.state();
  EXPECT_EQ(state, quarq::job_state::deferred);

  clock.advance(24h);
  co_await second.result();
  EXPECT_EQ(sent.size(), 2u);
  worker.stop();
}

quarq::awaitable<void> both(quarq::worker& worker, quarq::testing::clock& clock,
                            const std::vector<mail>& sent) {
  co_await quarq::gather(worker.run(), live_through_two_days(worker, clock, sent));
}

TEST(remind, comes_when_its_day_has_come) {
  quarq::testing::clock clock;
  std::vector<mail> sent;
  quarq::worker worker({.broker = "sqlite::memory:"});
  add_handlers(worker, [&](const std::string& to, const std::string& text) { sent.push_back({to, text}); });
  quarq::run(both(worker, clock, sent));
}

}  // namespace
