#include "workers/broker_clock.hpp"

#include "unit/workers/role_test.hpp"

namespace quarq::test::broker_clock_tests {
namespace {

constexpr broker::time_point noon{12h};

class broker_clock_test : public role_test {
 protected:
  workers::broker_clock time_{clock_, loop_.executor()};
};

TEST_F(broker_clock_test, goes_on_from_what_it_was_told_last) {
  EXPECT_FALSE(time_.is_known());
  time_.note_message(noon);
  EXPECT_TRUE(time_.is_known());
  EXPECT_EQ(time_.now(), noon);
  pass(1500ms);
  EXPECT_EQ(time_.now(), noon + 1500ms);
  // The broker's clock was set.
  time_.note_answer(noon - 1h, clock_.now());
  pass(1ms);
  EXPECT_EQ(time_.now(), noon - 1h + 1ms);
}

TEST_F(broker_clock_test, is_not_set_back_by_a_message_that_was_long_on_its_way) {
  time_.note_message(noon);
  pass(10s);
  time_.note_message(noon + 4s);
  EXPECT_EQ(time_.now(), noon + 10s);
  time_.note_message(noon + 11s);
  EXPECT_EQ(time_.now(), noon + 11s);
}

TEST_F(broker_clock_test, is_not_set_back_by_an_answer_that_was_long_on_its_way) {
  time_.note_message(noon);
  const auto asked = clock_.now();
  pass(10s);
  time_.note_answer(noon + 1s, asked);
  EXPECT_EQ(time_.now(), noon + 10s);
}

TEST_F(broker_clock_test, can_be_waited_for_until_it_is_known) {
  const auto waits = start(time_.wait_known());
  EXPECT_FALSE(waits->ended());
  time_.note_message(noon);
  loop_.run_ready();
  EXPECT_TRUE(waits->ended());
  EXPECT_TRUE(start(time_.wait_known())->ended());
}

}  // namespace
}  // namespace quarq::test::broker_clock_tests
