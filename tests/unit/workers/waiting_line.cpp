#include "workers/waiting_line.hpp"

#include <memory>
#include <optional>

#include "unit/workers/role_test.hpp"

namespace quarq::test::waiting_line_tests {
namespace {

using workers::waiting_line;

class waiting_line_test : public role_test {
 protected:
  waiting_line_test() { line_->set_size(1); }
  awaitable<void> take(waiting_line::turn& into) {
    auto turn = co_await line_->take();
    into = std::move(turn);
  }

  std::shared_ptr<waiting_line> line_ = std::make_shared<waiting_line>(clock_, loop_.executor());
};

TEST_F(waiting_line_test, turns_are_taken_in_the_order_of_arrival) {
  auto first = line_->try_take();
  EXPECT_TRUE(first);
  EXPECT_FALSE(line_->try_take());
  waiting_line::turn second, third;
  start(take(second));
  start(take(third));
  first.give_back();
  loop_.run_ready();
  EXPECT_TRUE(second);
  EXPECT_FALSE(third);
  EXPECT_FALSE(line_->try_take());
  second.give_back();
  loop_.run_ready();
  EXPECT_TRUE(third);
  third.give_back();
  EXPECT_TRUE(line_->try_take());
}

TEST_F(waiting_line_test, one_that_is_cancelled_leaves_the_line) {
  auto first = line_->try_take();
  waiting_line::turn second, third;
  const auto leaves = start(take(second));
  start(take(third));
  leaves->cancel();
  loop_.run_ready();
  EXPECT_TRUE(leaves->aborted());
  first.give_back();
  loop_.run_ready();
  EXPECT_TRUE(third);
}

TEST_F(waiting_line_test, a_turn_that_came_too_late_goes_to_the_next) {
  auto first = line_->try_take();
  waiting_line::turn second, third;
  const auto leaves = start(take(second));
  start(take(third));
  first.give_back();
  leaves->cancel();
  loop_.run_ready();
  EXPECT_TRUE(second || third);
  second.give_back();
  loop_.run_ready();
  EXPECT_TRUE(third);
}

TEST_F(waiting_line_test, knows_since_when_it_stands_still) {
  auto first = line_->try_take();
  pass(10s);
  waiting_line::turn second;
  start(take(second));
  EXPECT_EQ(line_->moved_at(), clock_.now());
  pass(3s);
  first.give_back();
  EXPECT_EQ(line_->moved_at(), clock_.now());
}

TEST_F(waiting_line_test, is_quick_while_its_jobs_are) {
  EXPECT_FALSE(line_->is_quick());
  for (int i = 0; i < 10; ++i) line_->note_use(100us);
  EXPECT_TRUE(line_->is_quick());
  line_->note_use(1s);
  EXPECT_FALSE(line_->is_quick());
  for (int i = 0; i < 30; ++i) line_->note_use(100us);
  EXPECT_TRUE(line_->is_quick());
  line_->note_delay();
  EXPECT_FALSE(line_->is_quick());
}

}  // namespace
}  // namespace quarq::test::waiting_line_tests
