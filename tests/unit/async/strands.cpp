// What coroutines of one loop share, on strands of a loop with several threads.
#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <quarq/channel.hpp>
#include <quarq/errors.hpp>
#include <quarq/event.hpp>
#include <quarq/gather.hpp>
#include <quarq/semaphore.hpp>
#include <quarq/task_group.hpp>
#include <quarq/time.hpp>

namespace quarq::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// Each strand has its own.
struct one_strand {
  channel<int> numbers{2};
  semaphore permits{2};
  event done;
  int sum = 0;
};

awaitable<void> add_up(std::shared_ptr<one_strand> on) {
  while (true) {
    const auto one = co_await on->numbers.async_pop();
    if (!one) break;
    auto permit = co_await on->permits.acquire();
    const auto loop = co_await asio::this_coro::executor;
    co_await asio::post(loop, asio::use_awaitable);
    on->sum += *one;
  }
}

awaitable<void> never(std::shared_ptr<one_strand> on) {
  co_await on->done.wait();
}

awaitable<void> use_all(std::atomic<int>& sum) {
  const auto on = std::make_shared<one_strand>();
  const auto body = [&](task_group& group) -> awaitable<void> {
    for (int i = 0; i < 5; ++i) group.spawn(add_up(on));
    for (int i = 1; i <= 100; ++i) co_await on->numbers.async_push(i);
    on->numbers.close();
    bool late = false;
    try {
      co_await with_timeout(never(on), 1ms);
    } catch (const timed_out&) {
      late = true;
    }
    EXPECT_TRUE(late);
    on->done.set();
    [[maybe_unused]] auto both = co_await gather_outcomes(never(on), never(on));
  };
  co_await with_task_group(body);
  sum += on->sum;
}

TEST(strands, channel_semaphore_event_and_group_work_with_several_threads) {
  asio::io_context loop(2);
  std::atomic<int> sum = 0;
  for (int i = 0; i < 50; ++i) asio::co_spawn(asio::make_strand(loop), use_all(sum), asio::detached);
  std::jthread one([&] { loop.run(); }), two([&] { loop.run(); });
  one.join();
  two.join();
  EXPECT_EQ(sum, 50 * 5050);
}

awaitable<void> pop_one(channel<int>& from, std::optional<int>& value) {
  value = co_await from.async_pop();
}

TEST(strands, their_loop_may_end_while_some_wait) {
  channel<int> it(0);
  std::optional<int> one, two;
  {
    asio::io_context loop(1);
    const auto strand = asio::make_strand(loop);
    asio::co_spawn(strand, pop_one(it, one), asio::detached);
    asio::co_spawn(strand, pop_one(it, two), asio::detached);
    loop.poll();
    it.try_push(1);
  }
  EXPECT_EQ(it.try_pop(), 1);
}

}  // namespace
}  // namespace quarq::test
