#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/event.hpp>
#include <quarq/run.hpp>
#include <quarq/task_group.hpp>
#include <quarq/time.hpp>

#include "support/manual_loop.hpp"

namespace quarq::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto for_ever = std::chrono::hours(24);

awaitable<void> note(std::vector<int>& into, int what) {
  into.push_back(what);
  co_return;
}

awaitable<void> fail(std::string what) {
  throw std::runtime_error(what);
  co_return;
}

awaitable<void> wait_for(event& what) {
  co_await what.wait();
}

// Waits until it is cancelled and then for a turn of the loop more.
awaitable<void> end_slowly(int& ended) {
  try {
    co_await sleep_for(for_ever);
  } catch (const boost::system::system_error&) {
  }
  co_await asio::this_coro::reset_cancellation_state();
  const auto loop = co_await asio::this_coro::executor;
  co_await asio::post(loop, asio::use_awaitable);
  ++ended;
}

awaitable<void> until_cancelled(int& cancelled) {
  try {
    co_await sleep_for(for_ever);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) ++cancelled;
    throw;
  }
}

TEST(task_group, ends_when_all_have_ended) {
  std::vector<int> noted;
  const auto body = [&](task_group& group) -> awaitable<void> {
    for (int i = 0; i < 3; ++i) group.spawn(note(noted, i));
    EXPECT_EQ(group.size(), 3u);
    EXPECT_TRUE(noted.empty());
    co_return;
  };
  run(with_task_group(body));
  EXPECT_EQ(noted, (std::vector{0, 1, 2}));
}

TEST(task_group, returns_what_its_body_returns) {
  const auto number = [](task_group& group) -> awaitable<int> {
    co_await sleep_for(1ms);
    EXPECT_EQ(group.size(), 0u);
    co_return 7;
  };
  EXPECT_EQ(run(with_task_group(number)), 7);
  const auto move_only = [](task_group&) -> awaitable<std::unique_ptr<int>> {
    co_return std::make_unique<int>(8);
  };
  EXPECT_EQ(*run(with_task_group(move_only)), 8);
}

// Spawns as many as `deep`, each from the one before.
awaitable<void> go_deeper(task_group& group, int deep, int& reached) {
  ++reached;
  if (deep > 1) group.spawn(go_deeper(group, deep - 1, reached));
  co_return;
}

TEST(task_group, children_spawn_as_well) {
  int reached = 0;
  const auto body = [&](task_group& group) -> awaitable<void> {
    group.spawn(go_deeper(group, 100'000, reached));
    co_return;
  };
  run(with_task_group(body));
  EXPECT_EQ(reached, 100'000);
}

// What a lambda with captures is.
class spawn_number {
 public:
  spawn_number(std::vector<int>& into, int number) : into_(into), number_(std::make_shared<int>(number)) {}
  awaitable<void> operator()(task_group& group) {
    co_await sleep_for(1ms);
    group.spawn(note(into_, *number_));
  }

 private:
  std::vector<int>& into_;
  std::shared_ptr<int> number_;
};

TEST(task_group, keeps_a_body_with_captures) {
  std::vector<int> noted;
  const auto make = [&noted] {
    spawn_number body(noted, 5);
    return with_task_group(body);
  };
  run(make());
  EXPECT_EQ(noted, std::vector{5});
}

TEST(task_group, the_first_failure_cancels_the_rest_and_is_thrown_when_all_have_ended) {
  int cancelled = 0, ended = 0;
  const auto body = [&](task_group& group) -> awaitable<void> {
    group.spawn(end_slowly(ended));
    group.spawn(until_cancelled(cancelled));
    group.spawn(fail("the one"));
    co_await until_cancelled(cancelled);
  };
  try {
    run(with_task_group(body));
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "the one");
  }
  EXPECT_EQ(cancelled, 2);
  EXPECT_EQ(ended, 1);
}

TEST(task_group, a_failing_body_cancels_the_children) {
  int cancelled = 0;
  const auto body = [&](task_group& group) -> awaitable<int> {
    group.spawn(until_cancelled(cancelled));
    co_await sleep_for(1ms);
    throw std::runtime_error("the body");
  };
  try {
    run(with_task_group(body));
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "the body");
  }
  EXPECT_EQ(cancelled, 1);
}

TEST(task_group, an_abort_that_nobody_asked_for_is_a_failure) {
  int cancelled = 0;
  auto it = std::make_unique<event>();
  const auto body = [&](task_group& group) -> awaitable<void> {
    group.spawn(wait_for(*it));
    co_await sleep_for(1ms);
    it.reset();
    co_await until_cancelled(cancelled);
  };
  EXPECT_THROW(run(with_task_group(body)), boost::system::system_error);
  EXPECT_EQ(cancelled, 1);
}

TEST(task_group, cancelling_it_is_no_failure_if_the_body_has_its_value) {
  int cancelled = 0;
  const auto body = [&](task_group& group) -> awaitable<int> {
    group.spawn(until_cancelled(cancelled));
    group.spawn(until_cancelled(cancelled));
    co_await sleep_for(1ms);
    group.cancel();
    co_return 3;
  };
  EXPECT_EQ(run(with_task_group(body)), 3);
  EXPECT_EQ(cancelled, 2);
}

awaitable<void> cancel_group(task_group& group) {
  group.cancel();
  co_return;
}

TEST(task_group, a_body_that_its_group_cancels_is_aborted) {
  int cancelled = 0;
  const auto body = [&](task_group& group) -> awaitable<void> {
    group.spawn(cancel_group(group));
    co_await until_cancelled(cancelled);
  };
  try {
    run(with_task_group(body));
    FAIL() << "nothing was thrown";
  } catch (const boost::system::system_error& e) {
    EXPECT_EQ(e.code(), asio::error::operation_aborted);
  }
  EXPECT_EQ(cancelled, 1);
}

TEST(task_group, once_cancelled_starts_nothing_more) {
  std::vector<int> noted;
  const auto body = [&](task_group& group) -> awaitable<void> {
    group.spawn(note(noted, 1));
    group.cancel();
    group.spawn(note(noted, 2));
    co_return;
  };
  run(with_task_group(body));
  EXPECT_TRUE(noted.empty());
}

TEST(task_group, the_callers_cancellation_reaches_all) {
  int cancelled = 0, ended = 0;
  manual_loop loop;
  const auto body = [&](task_group& group) -> awaitable<void> {
    group.spawn(until_cancelled(cancelled));
    group.spawn(end_slowly(ended));
    co_await until_cancelled(cancelled);
  };
  const auto one = loop.start(with_task_group(body));
  EXPECT_EQ(cancelled, 0);
  one->cancel();
  loop.run_ready();
  EXPECT_TRUE(one->aborted());
  EXPECT_EQ(cancelled, 2);
  EXPECT_EQ(ended, 1);
}

TEST(task_group, a_timeout_reaches_all) {
  int cancelled = 0;
  const auto body = [&](task_group& group) -> awaitable<void> {
    group.spawn(until_cancelled(cancelled));
    co_return;
  };
  EXPECT_THROW(run(with_timeout(with_task_group(body), 2ms)), timed_out);
  EXPECT_EQ(cancelled, 1);
}

TEST(task_group, may_stand_in_task_group) {
  int cancelled = 0;
  const auto inner = [&](task_group& group) -> awaitable<void> {
    group.spawn(until_cancelled(cancelled));
    co_await until_cancelled(cancelled);
  };
  const auto outer = [&](task_group& group) -> awaitable<void> {
    group.spawn(with_task_group(inner));
    co_await sleep_for(1ms);
    throw std::runtime_error("outer");
  };
  EXPECT_THROW(run(with_task_group(outer)), std::runtime_error);
  EXPECT_EQ(cancelled, 2);
}

awaitable<void> keep(std::shared_ptr<int> kept) {
  co_await sleep_for(for_ever);
  (void)kept;
}

TEST(task_group, the_loop_may_end_first) {
  const auto kept = std::make_shared<int>();
  {
    manual_loop loop;
    const auto body = [&](task_group& group) -> awaitable<void> {
      for (int i = 0; i < 3; ++i) group.spawn(keep(kept));
      co_await sleep_for(for_ever);
    };
    loop.start(with_task_group(body));
    EXPECT_EQ(kept.use_count(), 4);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(task_group, the_loop_may_end_before_what_was_spawned_has_begun) {
  const auto kept = std::make_shared<int>();
  {
    asio::io_context loop(1);
    const auto body = [&](task_group& group) -> awaitable<void> {
      group.spawn(keep(kept));
      loop.stop();
      co_return;
    };
    asio::co_spawn(loop, with_task_group(body), [](std::exception_ptr) {});
    loop.run();
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(task_group, a_body_that_throws_before_it_waits_starts_nothing) {
  std::vector<int> order;
  const auto body = [&](task_group& group) -> awaitable<void> {
    for (int i = 0; i < 1000; ++i) group.spawn(note(order, i));
    throw std::runtime_error("too early");
    co_return;
  };
  try {
    run(with_task_group(body));
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "too early");
  }
  EXPECT_TRUE(order.empty());
}

awaitable<void> fail_when_cancelled() {
  bool cancelled = false;
  try {
    co_await sleep_for(for_ever);
  } catch (const boost::system::system_error&) {
    cancelled = true;
  }
  if (cancelled) throw std::runtime_error("the second failure");
}

TEST(task_group, the_failure_of_the_body_is_the_first_one) {
  const auto body = [&](task_group& group) -> awaitable<void> {
    group.spawn(fail_when_cancelled());
    co_await sleep_for(0s);
    co_await sleep_for(0s);
    throw std::runtime_error("the first failure");
  };
  try {
    run(with_task_group(body));
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "the first failure");
  }
}

}  // namespace
}  // namespace quarq::test
