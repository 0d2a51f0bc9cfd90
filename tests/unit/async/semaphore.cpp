#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <quarq/errors.hpp>
#include <quarq/event.hpp>
#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/semaphore.hpp>
#include <quarq/time.hpp>

#include "support/manual_loop.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;

awaitable<void> take(semaphore& from, std::vector<int>& got, int who, event& until) {
  auto permit = co_await from.acquire();
  EXPECT_TRUE(permit);
  got.push_back(who);
  co_await until.wait();
}

awaitable<void> work(semaphore& max, int& now, int& peak) {
  auto permit = co_await max.acquire();
  peak = std::max(peak, ++now);
  const auto loop = co_await boost::asio::this_coro::executor;
  co_await boost::asio::post(loop, boost::asio::use_awaitable);
  --now;
}

TEST(semaphore, lets_so_many_through_at_once) {
  semaphore max(3);
  int now = 0, peak = 0;
  std::vector<awaitable<void>> all;
  for (int i = 0; i < 50; ++i) all.push_back(work(max, now, peak));
  run(gather(std::move(all)));
  EXPECT_EQ(peak, 3);
  EXPECT_EQ(now, 0);
  EXPECT_EQ(max.available(), 3u);
}

/// Those who want the only permit there is.
class semaphore_of_one : public ::testing::Test {
 protected:
  std::shared_ptr<spawned> start(int who) { return loop.start(take(one, got, who, until)); }

  semaphore one{1};
  std::vector<int> got;
  event until;
  manual_loop loop;
};

TEST_F(semaphore_of_one, who_came_first_gets_the_first) {
  until.set();
  auto held = one.try_acquire();
  for (int i = 0; i < 3; ++i) start(i);
  EXPECT_TRUE(got.empty());
  held.release();
  EXPECT_FALSE(held);
  // It is promised already: nobody may overtake.
  EXPECT_EQ(one.available(), 0u);
  EXPECT_FALSE(one.try_acquire());
  loop.run_ready();
  EXPECT_EQ(got, (std::vector{0, 1, 2}));
  EXPECT_EQ(one.available(), 1u);
}

TEST_F(semaphore_of_one, a_cancelled_wait_takes_no_permit) {
  auto held = one.try_acquire();
  const auto first = start(0);
  const auto second = start(1);
  first->cancel();
  held.release();
  loop.run_ready();
  EXPECT_TRUE(first->aborted());
  EXPECT_EQ(got, std::vector{1});
  until.set();
  loop.run_ready();
  EXPECT_TRUE(second->ended());
  EXPECT_EQ(one.available(), 1u);
}

TEST_F(semaphore_of_one, a_permit_on_its_way_to_one_who_is_cancelled_goes_to_the_next) {
  auto held = one.try_acquire();
  const auto first = start(0);
  const auto second = start(1);
  held.release();
  first->cancel();
  loop.run_ready();
  EXPECT_TRUE(first->aborted());
  EXPECT_EQ(got, std::vector{1});
  // And if there is no next, it is there.
  const auto third = start(2);
  until.set();
  third->cancel();
  loop.run_ready();
  EXPECT_EQ(one.available(), 1u);
}

TEST(semaphore, permits_move_and_give_back_what_they_are_overwritten_with) {
  semaphore two(2);
  auto a = two.try_acquire();
  auto b = two.try_acquire();
  EXPECT_TRUE(a && b);
  EXPECT_FALSE(two.try_acquire());
  a = std::move(b);
  EXPECT_EQ(two.available(), 1u);
  EXPECT_TRUE(a);
  EXPECT_FALSE(b);
  auto c = std::move(a);
  EXPECT_EQ(two.available(), 1u);
  c.release();
  c.release();
  EXPECT_EQ(two.available(), 2u);
}

TEST(semaphore, may_be_destroyed_before_its_permits_and_while_some_wait) {
  std::optional<semaphore> one(std::in_place, 1);
  std::vector<int> got;
  event until;
  manual_loop loop;
  const auto first = loop.start(take(*one, got, 0, until));
  const auto second = loop.start(take(*one, got, 1, until));
  one.reset();
  loop.run_ready();
  EXPECT_TRUE(second->aborted());
  until.set();
  loop.run_ready();
  EXPECT_TRUE(first->ended());
  EXPECT_FALSE(first->failure());
}

TEST(semaphore, the_loop_may_end_first) {
  semaphore one(1);
  std::vector<int> got;
  event until;
  {
    manual_loop loop;
    loop.start(take(one, got, 0, until));
    for (int i = 1; i < 4; ++i) loop.start(take(one, got, i, until));
  }
  EXPECT_EQ(one.available(), 1u);
}

TEST(semaphore, of_nothing_is_refused) {
  EXPECT_THROW(semaphore(0), usage_error);
}

}  // namespace
}  // namespace quarq::test
