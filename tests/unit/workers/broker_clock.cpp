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
  time_.note(noon);
  EXPECT_TRUE(time_.is_known());
  EXPECT_EQ(time_.now(), noon);
  pass(1500ms);
  EXPECT_EQ(time_.now(), noon + 1500ms);
  // The broker's clock was set.
  time_.note(noon - 1h);
  pass(1ms);
  EXPECT_EQ(time_.now(), noon - 1h + 1ms);
}

TEST_F(broker_clock_test, can_be_waited_for_until_it_is_known) {
  const auto waits = start(time_.wait_known());
  EXPECT_FALSE(waits->ended());
  time_.note(noon);
  loop_.run_ready();
  EXPECT_TRUE(waits->ended());
  EXPECT_TRUE(start(time_.wait_known())->ended());
}

}  // namespace
}  // namespace quarq::test::broker_clock_tests
