#include "async/activity.hpp"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <quarq/channel.hpp>
#include <quarq/gather.hpp>
#include <quarq/semaphore.hpp>
#include <quarq/shield.hpp>
#include <quarq/task_group.hpp>
#include <quarq/thread_pool.hpp>
#include <quarq/time.hpp>

#include "async/completion.hpp"
#include "support/manual_loop.hpp"

namespace quarq::test::activity_tests {
namespace {

namespace asio = boost::asio;
namespace execution = boost::asio::execution;
using namespace std::chrono_literals;
using strings = std::vector<std::string>;

std::string here() {
  const auto* const name = static_cast<const std::string*>(async::activity_scope::here().subject());
  return name == nullptr ? "none" : *name;
}

class activity : public testing::Test {
 protected:
  // One that a test names, on the test's loop.
  struct named {
    explicit named(std::string n, const asio::any_io_executor& loop)
        : name(std::move(n)), own(async::activities::of(loop), &name), executor(within(loop)) {}
    asio::any_io_executor within(const asio::any_io_executor& loop) const {
      return async::with_activity(loop, own.get());
    }
    const std::string name;
    async::owned_activity own;
    asio::any_io_executor executor;
  };

  void spawn(const named& on, awaitable<void> work) {
    asio::co_spawn(on.executor, std::move(work), asio::detached);
  }
  std::string observed() {
    std::string name = "none";
    async::activities::of(loop_.executor())->observe([&](const void* subject, std::uint64_t) {
      if (subject != nullptr) name = *static_cast<const std::string*>(subject);
    });
    return name;
  }

  manual_loop loop_;
  named a_{"a", loop_.executor()}, b_{"b", loop_.executor()};
  strings seen_;
};

awaitable<void> note(strings& into) {
  co_await sleep_for(1ms);
  into.push_back(here());
}

// ---- the executor, as Asio wants it

using of_loop = async::activity_executor<async::loop_executor>;
using of_any = async::activity_executor<asio::any_io_executor>;
static_assert(execution::is_executor_v<of_loop> && execution::is_executor_v<of_any>);
static_assert(std::is_convertible_v<of_loop, asio::any_io_executor>);
static_assert(std::is_convertible_v<of_any, asio::any_io_executor>);
static_assert(asio::can_require_v<of_loop, execution::blocking_t::never_t>);
static_assert(asio::can_require_v<of_loop, execution::relationship_t::continuation_t>);
static_assert(asio::can_require_v<of_loop, execution::outstanding_work_t::tracked_t>);
static_assert(asio::can_require_v<of_loop, execution::allocator_t<std::allocator<int>>>);
static_assert(asio::can_query_v<of_loop, execution::context_t>);
static_assert(!asio::can_require_v<of_loop, execution::blocking_t::always_t>);
static_assert(std::is_nothrow_copy_constructible_v<of_loop>);

TEST_F(activity, an_executor_has_the_properties_of_its_loop) {
  asio::io_context loop;
  const of_loop one(loop.get_executor(), a_.own.get());
  EXPECT_EQ(&asio::query(one, execution::context), &loop);
  EXPECT_EQ(asio::query(one, execution::blocking), execution::blocking.possibly);
  EXPECT_EQ(asio::query(asio::require(one, execution::blocking.never), execution::blocking),
            execution::blocking.never);
  EXPECT_EQ(asio::query(asio::prefer(one, execution::relationship.continuation), execution::relationship),
            execution::relationship.continuation);
  EXPECT_EQ(asio::query(one, execution::outstanding_work), execution::outstanding_work.untracked);

  const asio::any_io_executor any = one;
  EXPECT_EQ(&asio::query(any, execution::context), &loop);
  loop.poll();
  EXPECT_TRUE(loop.stopped());
  loop.restart();
  const auto work = asio::prefer(any, execution::outstanding_work.tracked);
  loop.poll();
  EXPECT_FALSE(loop.stopped()) << "tracked work keeps a loop from running out of it";
}

TEST_F(activity, executors_are_equal_if_loop_and_activity_are) {
  EXPECT_EQ(a_.executor, a_.within(loop_.executor()));
  EXPECT_NE(a_.executor, b_.executor);
  EXPECT_NE(a_.executor, loop_.executor());
  asio::io_context other;
  EXPECT_NE(a_.executor, a_.within(other.get_executor()));
  EXPECT_EQ(a_.executor, a_.within(b_.executor)) << "one takes the place of another";
  EXPECT_EQ(async::without_activity(a_.executor), loop_.executor());
  EXPECT_EQ(async::without_activity(loop_.executor()), loop_.executor());
}

TEST_F(activity, belongs_to_an_executor_and_what_it_runs) {
  asio::dispatch(a_.executor, [&] { seen_.push_back(here()); });
  asio::post(b_.executor, [&] { seen_.push_back(here()); });
  asio::post(loop_.executor(), [&] { seen_.push_back(here()); });
  EXPECT_EQ(here(), "none");
  loop_.run_ready();
  EXPECT_EQ(seen_, (strings{"a", "b", "none"}));
  EXPECT_EQ(here(), "none");
}

TEST_F(activity, is_back_after_one_that_was_dispatched_within_it) {
  asio::post(a_.executor, [&] {
    asio::dispatch(b_.executor, [&] { seen_.push_back(here() + observed()); });
    seen_.push_back(here() + observed());
    asio::dispatch(loop_.executor(), [&] { seen_.push_back(here()); });
  });
  loop_.run_ready();
  EXPECT_EQ(seen_, (strings{"bb", "aa", "a"}));
  EXPECT_EQ(observed(), "none");
}

TEST_F(activity, is_back_after_a_handler_that_threw) {
  asio::post(a_.executor, [] { throw std::runtime_error("no"); });
  EXPECT_THROW(loop_.run_ready(), std::runtime_error);
  EXPECT_EQ(here(), "none");
  EXPECT_EQ(observed(), "none");
}

TEST_F(activity, stays_with_a_strand_of_the_loop) {
  asio::post(a_.within(asio::make_strand(loop_.executor())), [&] { seen_.push_back(here()); });
  asio::post(asio::make_strand(b_.executor), [&] { seen_.push_back(here()); });
  loop_.run_ready();
  EXPECT_EQ(seen_, (strings{"a", "b"}));
}

// ---- coroutines

TEST_F(activity, is_that_of_the_coroutine_after_each_wait) {
  const auto work = [](strings& seen) -> awaitable<void> {
    seen.push_back(here());
    co_await sleep_for(1ms);
    seen.push_back(here());
    const auto loop = co_await asio::this_coro::executor;
    co_await asio::post(loop, asio::use_awaitable);
    seen.push_back(here());
    co_await gather(note(seen), note(seen));
    const auto first = co_await when_any(note(seen), sleep_for(24h));
    EXPECT_EQ(first.index(), 0u);
    const auto body = [&seen](task_group& group) -> awaitable<void> {
      group.spawn(note(seen));
      co_await note(seen);
    };
    co_await with_task_group(body);
    co_await shield(note(seen));
    co_await with_timeout(note(seen), 1h);
    asio::co_spawn(loop, note(seen), asio::detached);
    co_await sleep_for(5ms);
    seen.push_back(here());
  };
  spawn(a_, work(seen_));
  loop_.finish();
  EXPECT_EQ(seen_, strings(12, "a"));
  EXPECT_EQ(here(), "none");
}

// Where one coroutine wakes another, the other has its own.
TEST_F(activity, is_that_of_the_coroutine_that_is_woken) {
  channel<int> numbers(1);
  semaphore permits(1);
  const auto push = [&](int n) -> awaitable<void> {
    auto permit = co_await permits.acquire();
    co_await numbers.async_push(n);
    seen_.push_back(here());
  };
  const auto pop = [&]() -> awaitable<void> {
    for (int i = 0; i < 2; ++i) {
      co_await numbers.async_pop();
      seen_.push_back(here());
    }
  };
  spawn(b_, pop());
  spawn(a_, push(1));
  spawn(a_, push(2));
  loop_.finish();
  std::sort(seen_.begin(), seen_.end());
  EXPECT_EQ(seen_, (strings{"a", "a", "b", "b"}));
}

TEST_F(activity, is_that_of_the_coroutine_when_another_thread_resumes_it) {
  const thread_pool threads({.size = 2});
  const auto work = [&]() -> awaitable<void> {
    const auto nothing = [] {};
    co_await threads.run(nothing);
    seen_.push_back(here());
    const auto loop = co_await asio::this_coro::executor;
    const auto one = std::make_shared<async::completion>(loop);
    std::thread completes([one] { one->complete(); });
    co_await async::completion::wait(one, nullptr);
    completes.join();
    seen_.push_back(here());
  };
  spawn(a_, work());
  loop_.finish();
  EXPECT_EQ(seen_, strings(2, "a"));
}

// ---- its end

TEST_F(activity, has_ended_for_all_that_still_name_it) {
  auto own = std::make_unique<named>("c", loop_.executor());
  const auto executor = own->executor;
  asio::post(executor, [&] {
    seen_.push_back(here() + " " + observed());
    own.reset();
    seen_.push_back(here() + " " + observed());
  });
  asio::post(executor, [&] { seen_.push_back(here()); });
  loop_.run_ready();
  own = std::make_unique<named>("d", loop_.executor());
  asio::post(executor, [&] { seen_.push_back(here()); });
  asio::post(own->executor, [&] {
    asio::dispatch(executor, [&] { seen_.push_back(here() + " " + observed()); });
    seen_.push_back(here() + " " + observed());
  });
  loop_.run_ready();
  EXPECT_EQ(seen_, (strings{"c c", "none none", "none", "none", "none none", "d d"}));
  EXPECT_NE(executor, own->executor);
}

TEST_F(activity, many_may_begin_and_end_in_any_order) {
  std::vector<std::unique_ptr<named>> all;
  for (int i = 0; i < 100; ++i) all.push_back(std::make_unique<named>(std::to_string(i), loop_.executor()));
  for (int i = 0; i < 100; i += 2) all[static_cast<std::size_t>(i)].reset();
  for (int i = 0; i < 100; i += 2)
    all[static_cast<std::size_t>(i)] = std::make_unique<named>(std::to_string(i), loop_.executor());
  for (const auto& one : all) asio::post(one->executor, [&] { seen_.push_back(here()); });
  loop_.run_ready();
  ASSERT_EQ(seen_.size(), 100u);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(seen_[i], std::to_string(i));
}

TEST_F(activity, another_thread_sees_whether_it_is_still_the_same_turn) {
  const auto number = [&] {
    std::uint64_t seen = 0;
    std::thread([&] {
      async::activities::of(loop_.executor())->observe([&](const void*, std::uint64_t switches) {
        seen = switches;
      });
    }).join();
    return seen;
  };
  std::uint64_t before = 0, within = 0, later = 0, next = 0;
  before = number();
  asio::post(a_.executor, [&] {
    within = number();
    later = number();
  });
  asio::post(a_.executor, [&] { next = number(); });
  loop_.run_ready();
  EXPECT_NE(before, within);
  EXPECT_EQ(within, later);
  EXPECT_NE(later, next);
}

TEST_F(activity, may_outlive_its_loop_unused) {
  const auto executor = a_.executor;
  asio::post(executor, [&] { seen_.push_back(here()); });
  loop_.end_loop();
  EXPECT_TRUE(seen_.empty());
}

}  // namespace
}  // namespace quarq::test::activity_tests
