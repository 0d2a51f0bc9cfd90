#include "debug/timer.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include <quarq/debug_timer.hpp>

#include "unit/debug/debug_output.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;

TEST(debug_timer, times_are_in_units_that_fit) {
  EXPECT_EQ(debug::short_duration(480ns), "480 ns");
  EXPECT_EQ(debug::short_duration(1'500ns), "1.5 us");
  EXPECT_EQ(debug::short_duration(480us), "480 us");
  EXPECT_EQ(debug::short_duration(3'500us), "3.5 ms");
  EXPECT_EQ(debug::short_duration(90s), "90.0 s");
}

TEST(debug_timer, lines) {
  EXPECT_EQ(debug::lap_line("load", 2, "parsed", 3'500us, 5ms),
            "load: lap 2 (parsed): 3.5 ms, 5.0 ms in all\n");
  EXPECT_EQ(debug::lap_line("load", 1, "", 12ms, 12ms), "load: lap 1: 12 ms, 12 ms in all\n");
  EXPECT_EQ(debug::end_line("load\n", 12ms, 0, 0ns), "load\\n: 12 ms\n");
  EXPECT_EQ(debug::end_line("load", 40ms, 3, 30ms), "load: 40 ms, 3 laps of 10 ms on average\n");
  EXPECT_EQ(debug::end_line("load", 40ms, 1, 30ms), "load: 40 ms, 1 lap of 30 ms on average\n");
}

TEST(debug_timer, prints_when_its_scope_ends) {
  const debug_output out;
  {
    const quarq::debug_timer timer("scope");
    EXPECT_EQ(out.text(), "");
  }
  EXPECT_TRUE(out.text().starts_with("scope: ")) << out.text();
}

TEST(debug_timer, stops_once) {
  const debug_output out;
  quarq::debug_timer timer("scope");
  const auto lap = timer.lap("one");
  const auto all = timer.stop();
  EXPECT_LE(lap, all);
  EXPECT_EQ(timer.stop(), all);
  EXPECT_EQ(timer.elapsed(), all);
  EXPECT_EQ(timer.lap(), 0ns);
  const auto text = out.text();
  EXPECT_TRUE(text.starts_with("scope: lap 1 (one): ")) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

}  // namespace
}  // namespace quarq::test
