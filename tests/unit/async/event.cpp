#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/event.hpp>
#include <quarq/time.hpp>

#include "support/manual_loop.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;

awaitable<void> wait_for(event& what, std::vector<int>& went_on, int who) {
  co_await what.wait();
  went_on.push_back(who);
}

TEST(event, ends_the_wait_of_all_in_their_order) {
  event it;
  std::vector<int> went_on;
  manual_loop loop;
  for (int i = 0; i < 3; ++i) loop.start(wait_for(it, went_on, i));
  EXPECT_TRUE(went_on.empty());
  it.set();
  EXPECT_TRUE(went_on.empty());
  loop.run_ready();
  EXPECT_EQ(went_on, (std::vector{0, 1, 2}));
  loop.start(wait_for(it, went_on, 3));
  EXPECT_EQ(went_on.size(), 4u);
}

TEST(event, can_be_cleared_and_waited_for_again) {
  event it;
  std::vector<int> went_on;
  manual_loop loop;
  loop.start(wait_for(it, went_on, 0));
  it.set();
  it.clear();
  EXPECT_FALSE(it.is_set());
  const auto second = loop.start(wait_for(it, went_on, 1));
  EXPECT_EQ(went_on, std::vector{0});
  EXPECT_FALSE(second->ended());
  it.set();
  loop.run_ready();
  EXPECT_TRUE(second->ended());
}

TEST(event, a_cancelled_wait_ends_and_the_others_go_on) {
  event it;
  std::vector<int> went_on;
  manual_loop loop;
  loop.start(wait_for(it, went_on, 0));
  const auto second = loop.start(wait_for(it, went_on, 1));
  loop.start(wait_for(it, went_on, 2));
  second->cancel();
  loop.run_ready();
  EXPECT_TRUE(second->aborted());
  it.set();
  loop.run_ready();
  EXPECT_EQ(went_on, (std::vector{0, 2}));
}

TEST(event, what_has_happened_is_not_cancelled_any_more) {
  event it;
  std::vector<int> went_on;
  manual_loop loop;
  const auto one = loop.start(wait_for(it, went_on, 0));
  it.set();
  one->cancel();
  loop.run_ready();
  EXPECT_EQ(went_on, std::vector{0});
}

TEST(event, a_timeout_reaches_it) {
  event it;
  std::vector<int> went_on;
  manual_loop loop;
  const auto one = loop.start(with_timeout(wait_for(it, went_on, 0), 1ms));
  loop.finish();
  ASSERT_TRUE(one->failure());
  EXPECT_THROW(std::rethrow_exception(one->failure()), timed_out);
}

TEST(event, may_be_destroyed_while_some_wait) {
  auto it = std::make_unique<event>();
  std::vector<int> went_on;
  manual_loop loop;
  const auto one = loop.start(wait_for(*it, went_on, 0));
  const auto two = loop.start(wait_for(*it, went_on, 1));
  it.reset();
  loop.run_ready();
  EXPECT_TRUE(one->aborted());
  EXPECT_TRUE(two->aborted());
}

awaitable<void> wait_with(event& what, std::shared_ptr<int> kept) {
  co_await what.wait();
  (void)kept;
}

TEST(event, the_loop_may_end_first_and_the_event_goes_on) {
  event it;
  const auto kept = std::make_shared<int>();
  {
    manual_loop loop;
    for (int i = 0; i < 3; ++i) loop.start(wait_with(it, kept));
    EXPECT_EQ(kept.use_count(), 4);
  }
  EXPECT_EQ(kept.use_count(), 1);
  it.set();
  it.clear();
  manual_loop another;
  const auto one = another.start(wait_with(it, kept));
  EXPECT_FALSE(one->ended());
  it.set();
  another.run_ready();
  EXPECT_TRUE(one->ended());
}

TEST(event, the_loop_may_end_between_set_and_what_follows) {
  event it;
  const auto kept = std::make_shared<int>();
  {
    manual_loop loop;
    loop.start(wait_with(it, kept));
    it.set();
  }
  EXPECT_EQ(kept.use_count(), 1);
}

// Each of those that wait owns a share of the event: the last to be destroyed destroys it.
awaitable<void> wait_for_own(std::shared_ptr<event> mine) {
  co_await mine->wait();
}

TEST(event, may_belong_to_those_who_wait_for_it) {
  const auto it = std::make_shared<event>();
  std::weak_ptr<event> seen = it;
  manual_loop loop;
  for (int i = 0; i < 3; ++i) loop.start(wait_for_own(it));
  EXPECT_EQ(it.use_count(), 4);
  loop.end_loop();
  EXPECT_EQ(it.use_count(), 1);
}

TEST(event, is_not_for_two_loops_at_once) {
  event it;
  std::vector<int> went_on;
  manual_loop loop, another;
  loop.start(wait_for(it, went_on, 0));
  const auto refused = another.start(wait_for(it, went_on, 1));
  ASSERT_TRUE(refused->failure());
  EXPECT_THROW(std::rethrow_exception(refused->failure()), std::logic_error);
}

}  // namespace
}  // namespace quarq::test
