// When a wait looks before it sleeps, by a clock that stands still unless the test sets it forward.
#include "base/eager_wait.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace quarq::base {
namespace {

using std::chrono::microseconds;

struct set_clock {
  using duration = microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<set_clock>;
  static constexpr bool is_steady = true;
  static inline time_point time;
  static time_point now() { return time; }
};
using wait_by_set_clock = eager_wait<set_clock>;
constexpr auto look_time = wait_by_set_clock::look_time, soon = wait_by_set_clock::soon;

/// What is awaited comes after so long; a look takes a microsecond.
struct waits {
  wait_by_set_clock wait;
  int looks = 0, sleeps = 0;

  void until(microseconds comes_after) {
    looks = sleeps = 0;
    const auto comes = set_clock::now() + comes_after;
    const auto look = [&] {
      ++looks;
      set_clock::time += microseconds(1);
      return set_clock::now() >= comes;
    };
    const auto sleep = [&] {
      ++sleeps;
      set_clock::time = std::max(set_clock::now(), comes);
    };
    wait.wait(look, sleep);
  }
};

constexpr microseconds late = 2 * soon;

}  // namespace

TEST(eager_wait, the_first_wait_sleeps_and_so_does_the_next_if_that_took_long) {
  waits all;
  for (int i = 0; i < 3; ++i) {
    all.until(late);
    EXPECT_EQ(all.looks, 0);
    EXPECT_EQ(all.sleeps, 1);
  }
}

TEST(eager_wait, after_what_came_soon_it_looks_until_it_is_there) {
  waits all;
  all.until(soon - microseconds(1));
  EXPECT_EQ(all.looks, 0);
  for (const auto comes : {microseconds(0), microseconds(10), look_time}) {
    all.until(comes);
    EXPECT_EQ(all.looks, std::max<int>(1, static_cast<int>(comes.count())));
    EXPECT_EQ(all.sleeps, 0);
  }
}

TEST(eager_wait, it_looks_for_a_moment_only_and_does_not_miss_what_comes_later) {
  waits all;
  all.until(microseconds(1));
  all.until(late);
  EXPECT_EQ(all.looks, look_time.count());
  EXPECT_EQ(all.sleeps, 1);
}

TEST(eager_wait, after_a_look_in_vain_the_next_waits_sleep_at_once) {
  waits all;
  all.until(microseconds(1));
  all.until(look_time + microseconds(1));
  EXPECT_GT(all.looks, 0);
  // One that takes long does not count.
  all.until(late);
  for (int i = 0; i < wait_by_set_clock::sleeps_after_vain_looks - 1; ++i) {
    all.until(microseconds(1));
    EXPECT_EQ(all.looks, 0) << i;
    EXPECT_EQ(all.sleeps, 1) << i;
  }
  all.until(microseconds(1));
  EXPECT_EQ(all.looks, 1);
  EXPECT_EQ(all.sleeps, 0);
}

}  // namespace quarq::base
