// Counts of what happened: the histogram, and the form in which stores keep all of it.
#include <string>

#include <gtest/gtest.h>

#include <quarq/msgpack.hpp>
#include <quarq/queue_stats.hpp>

#include "broker/stats_codec.hpp"

namespace quarq::test::queue_stats_tests {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

TEST(duration_histogram, bounds_are_a_series_of_1_2_and_5_from_100_us_to_10000_s) {
  const auto& bounds = duration_histogram::bounds;
  EXPECT_EQ(bounds.front(), 100us);
  EXPECT_EQ(bounds[1], 200us);
  EXPECT_EQ(bounds[2], 500us);
  EXPECT_EQ(bounds[3], 1ms);
  EXPECT_EQ(bounds.back(), 10'000s);
}

TEST(duration_histogram, a_time_is_counted_in_the_range_that_ends_at_or_after_it) {
  duration_histogram h;
  for (const microseconds time : {-1us, 0us, 100us}) h.add(time);
  h.add(101us);
  h.add(10'000s);
  h.add(20'000s);
  EXPECT_EQ(h.count(0), 3u);
  EXPECT_EQ(h.count(1), 1u);
  EXPECT_EQ(h.count(duration_histogram::ranges - 2), 1u);
  EXPECT_EQ(h.count(duration_histogram::ranges - 1), 1u);
  EXPECT_EQ(h.count(), 6u);
  EXPECT_EQ(h.sum(), 30'000s + 201us);
}

TEST(duration_histogram, quantiles_lie_within_the_ranges_of_what_was_added) {
  duration_histogram h;
  EXPECT_EQ(h.quantile(0.5), 0us);
  for (int i = 0; i < 90; ++i) h.add(3ms);
  for (int i = 0; i < 10; ++i) h.add(150ms);
  EXPECT_GT(h.quantile(0.5), 2ms);
  EXPECT_LE(h.quantile(0.5), 5ms);
  EXPECT_EQ(h.quantile(0.9), 5ms);
  EXPECT_GT(h.quantile(0.99), 100ms);
  EXPECT_EQ(h.quantile(1), 200ms);
  EXPECT_EQ(h.quantile(2), 200ms);
  duration_histogram endless;
  endless.add(20'000s);
  EXPECT_EQ(endless.quantile(0.5), 10'000s);
}

task_stats some_stats() {
  task_stats s;
  s.enqueued = 1;
  s.started = 2;
  s.succeeded = 3;
  s.failed = 4;
  s.dead = 5;
  s.cancelled = 6;
  s.expired = 7;
  s.retried = 8;
  s.lost = 9;
  s.waited.add(0us);
  s.waited.add(20'000s);
  s.ran.add(1ms);
  s.ran.add(9'000s);
  return s;
}

TEST(task_stats, are_added_up_member_by_member) {
  auto sum = some_stats();
  sum.add(some_stats());
  EXPECT_EQ(sum.enqueued, 2u);
  EXPECT_EQ(sum.lost, 18u);
  EXPECT_EQ(sum.waited.count(0), 2u);
  EXPECT_EQ(sum.ran.count(), 4u);
  EXPECT_EQ(sum.ran.sum(), 18'000s + 2ms);
  EXPECT_FALSE(sum.empty());
  EXPECT_TRUE(task_stats().empty());
}

TEST(stats_codec, counts_come_back_as_they_were) {
  EXPECT_EQ(broker::decode_counts(broker::encode_counts(some_stats())), some_stats());
  EXPECT_EQ(broker::encode_counts(task_stats()), "\x90");
  EXPECT_EQ(broker::decode_counts("\x90"), task_stats());
}

TEST(stats_codec, a_task_whose_jobs_are_alike_takes_few_bytes) {
  task_stats s;
  s.started = s.succeeded = 60'000;
  for (int i = 0; i < 60'000; ++i) {
    s.waited.add(3ms);
    s.ran.add(70us);
  }
  EXPECT_LE(broker::encode_counts(s).size(), 40u);
}

TEST(stats_codec, what_others_have_written_is_ignored_where_it_is_unknown) {
  std::string encoded;
  encoder out(encoded);
  out.array(6);
  for (const int number : {1, 5, 9, 77, 1'000'000, 3}) out.integer(number);
  task_stats expected;
  expected.started = 5;
  EXPECT_EQ(broker::decode_counts(encoded), expected);
  EXPECT_EQ(broker::decode_counts("nonsense"), task_stats());
  EXPECT_EQ(broker::decode_counts(""), task_stats());
}

}  // namespace
}  // namespace quarq::test::queue_stats_tests
