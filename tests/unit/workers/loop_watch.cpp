#include "workers/loop_watch.hpp"

#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace quarq::test::loop_watch_tests {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using workers::loop_watch;

class loop_watch_test : public testing::Test {
 protected:
  using time_point = workers::clock::time_point;

  void watch(loop_watch::limits how) { watch_.emplace(how, now_); }

  /// Looks for so long at a loop that stands still in one handler. What was to be done, at each look that had
  /// something: "1000 report renew".
  std::string blocked(milliseconds time, std::optional<time_point> must_end_by = {}) {
    std::string all;
    for (const auto end = now_ + time; now_ < end;) look(false, must_end_by, all);
    return all;
  }
  /// The same, with another handler at each look.
  std::string busy(milliseconds time, std::optional<time_point> must_end_by = {}) {
    std::string all;
    for (const auto end = now_ + time; now_ < end;) {
      ++switches_;
      look(false, must_end_by, all);
    }
    return all;
  }
  std::string turns(int times = 1) {
    std::string all;
    for (int i = 0; i < times; ++i) {
      ++switches_;
      look(true, {}, all);
    }
    began_ = now_;
    return all;
  }
  void stand_still(milliseconds time) { now_ += time; }

  loop_watch& its() { return *watch_; }
  time_point now() const { return now_; }

 private:
  void look(bool has_turned, std::optional<time_point> must_end_by, std::string& all) {
    now_ += watch_->look_interval();
    const auto todo = watch_->look({now_, has_turned, switches_, must_end_by});
    std::string what;
    if (todo.report) what += " report";
    if (todo.renew) what += " renew";
    if (todo.give_up) what += " give_up";
    if (todo.is_over) what += " over";
    if (what.empty()) return;
    if (!all.empty()) all += ", ";
    all += std::to_string(std::chrono::duration_cast<milliseconds>(now_ - began_).count()) + what;
  }

  time_point now_{1h};
  time_point began_ = now_;
  std::uint64_t switches_ = 0;
  std::optional<loop_watch> watch_{std::in_place, loop_watch::limits{}, now_};
};

TEST_F(loop_watch_test, a_loop_that_turns_needs_nothing) {
  EXPECT_EQ(turns(1'000), "");
}

TEST_F(loop_watch_test, a_blocked_one_is_reported_once_and_renewed_each_second) {
  turns();
  EXPECT_EQ(blocked(750ms), "");
  EXPECT_EQ(blocked(2'500ms), "1000 report renew, 2000 renew, 3000 renew");
  EXPECT_EQ(its().blocked_for(), 3'250ms);
  EXPECT_TRUE(its().is_by_one());
}

TEST_F(loop_watch_test, when_it_turns_again_that_is_over) {
  turns();
  blocked(3s);
  EXPECT_EQ(turns(), "3250 over");
  EXPECT_EQ(its().blocked_for(), 3'250ms);
  EXPECT_EQ(turns(100), "");
  EXPECT_EQ(blocked(1s), "1000 report renew") << "the next time is another";
}

TEST_F(loop_watch_test, one_that_turns_in_time_was_not_blocked) {
  turns();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(blocked(750ms), "");
    EXPECT_EQ(turns(), "");
  }
}

TEST_F(loop_watch_test, a_short_lease_is_renewed_earlier_and_more_often) {
  watch({1'000ms, 1'000ms});
  EXPECT_EQ(its().look_interval(), 125ms);
  turns();
  EXPECT_EQ(blocked(1'250ms), "375 renew, 625 renew, 875 renew, 1000 report, 1125 renew");
}

TEST_F(loop_watch_test, a_lease_is_kept_although_the_report_comes_late) {
  watch({60'000ms, 3'000ms});
  turns();
  EXPECT_EQ(blocked(2s), "1000 renew, 1750 renew");
  EXPECT_EQ(turns(), "2250 over");
}

TEST_F(loop_watch_test, a_long_lease_is_looked_at_no_less_often) {
  watch({1'000ms, 3'600'000ms});
  EXPECT_EQ(its().look_interval(), 250ms);
}

// ---- until when

TEST_F(loop_watch_test, what_has_a_limit_is_kept_up_to_it) {
  turns();
  EXPECT_EQ(blocked(5s, now() + 3'300ms), "1000 report renew, 2000 renew, 3000 renew, 3500 give_up");
  EXPECT_EQ(blocked(1h, now() - 1s), "");
  turns();
  EXPECT_EQ(blocked(1s), "1000 report renew");
}

TEST_F(loop_watch_test, a_limit_that_has_passed_when_it_blocks_is_no_reason_to_renew) {
  turns();
  EXPECT_EQ(blocked(2s, now() - 1s), "1000 report give_up");
}

TEST_F(loop_watch_test, a_long_limit_counts_as_it_is) {
  turns();
  const auto all = blocked(20min, now() + 15min);
  EXPECT_EQ(all.substr(all.rfind(',') + 2), "900000 give_up");
}

TEST_F(loop_watch_test, what_has_no_limit_is_kept_for_five_minutes) {
  turns();
  const auto all = blocked(10min);
  EXPECT_EQ(all.substr(all.rfind(',') + 2), "300000 give_up");
  EXPECT_EQ(turns(), "600250 over");
}

// ---- what blocks it

TEST_F(loop_watch_test, many_handlers_in_turn_are_told_from_one) {
  turns();
  EXPECT_EQ(busy(2s), "1000 report renew, 2000 renew");
  EXPECT_FALSE(its().is_by_one());
  // The limit of the one that happens to run says nothing about the others.
  EXPECT_EQ(busy(2s, now()), "3000 renew, 4000 renew");
}

TEST_F(loop_watch_test, one_that_comes_after_others_blocks_it_when_it_has_run_for_longer) {
  turns();
  busy(1s);
  EXPECT_FALSE(its().is_by_one());
  blocked(500ms);
  EXPECT_FALSE(its().is_by_one());
  blocked(500ms);
  EXPECT_TRUE(its().is_by_one());
  EXPECT_EQ(blocked(1s, now()), "2250 give_up");
}

// ---- the process itself stands still

TEST_F(loop_watch_test, a_process_that_was_stopped_had_no_blocked_loop) {
  turns();
  stand_still(1h);
  EXPECT_EQ(blocked(500ms), "");
  EXPECT_EQ(turns(), "");
}

TEST_F(loop_watch_test, the_time_for_which_it_was_stopped_does_not_count) {
  turns();
  EXPECT_EQ(blocked(500ms), "");
  stand_still(10s);
  EXPECT_EQ(blocked(250ms), "");
  EXPECT_LT(its().blocked_for(), 1s);
  EXPECT_EQ(blocked(500ms), "11000 report renew");
}

TEST_F(loop_watch_test, a_lease_is_renewed_at_once_when_it_goes_on) {
  turns();
  blocked(1s);
  stand_still(10s);
  EXPECT_EQ(blocked(1'250ms), "11250 renew, 12250 renew");
}

TEST_F(loop_watch_test, a_look_that_is_a_little_late_is_one_like_the_others) {
  turns();
  stand_still(200ms);
  EXPECT_EQ(blocked(1s), "1200 report renew");
}

}  // namespace
}  // namespace quarq::test::loop_watch_tests
