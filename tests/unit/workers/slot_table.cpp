#include "workers/slot_table.hpp"

#include <gtest/gtest.h>

namespace quarq::test::slot_table_tests {
namespace {

using workers::slot_guard;
using workers::slot_table;

TEST(slot_table, has_no_room_before_a_level_has_a_limit) {
  slot_table slots(10, 0);
  EXPECT_EQ(slots.room(), 0u);
}

TEST(slot_table, has_room_for_as_many_jobs_as_may_run_at_once) {
  slot_table slots(3, 0);
  slots.set_limit(level::loop, 3);
  for (std::size_t free = 3; free > 0; --free) {
    EXPECT_EQ(slots.room(), free);
    slots.job_began();
  }
  EXPECT_EQ(slots.room(), 0u);
  slots.job_ended();
  EXPECT_EQ(slots.room(), 1u);
}

TEST(slot_table, has_no_room_while_it_is_closed_and_one_slot_where_jobs_come_one_at_a_time) {
  slot_table slots(3, 0);
  slots.set_limit(level::loop, 3);
  slots.take_one_at_a_time(true);
  EXPECT_EQ(slots.room(), 1u);
  slots.close();
  EXPECT_EQ(slots.room(), 0u);
  slots.open();
  slots.take_one_at_a_time(false);
  EXPECT_EQ(slots.room(), 3u);
}

TEST(slot_table, has_no_room_while_its_only_level_is_full) {
  slot_table slots(100, 0);
  slots.set_limit(level::thread, 1);
  EXPECT_EQ(slots.room(), 1u);
  const slot_guard busy(slots, level::thread);
  EXPECT_EQ(slots.room(), 0u);
}

TEST(slot_table, of_several_levels_a_full_one_holds_up_the_others_only_when_a_job_waits_there) {
  slot_table slots(100, 0);
  slots.set_limit(level::loop, 100);
  slots.set_limit(level::thread, 1);
  const slot_guard busy(slots, level::thread);
  EXPECT_EQ(slots.room(), 100u);
  {
    const slot_guard waits(slots, level::thread);
    EXPECT_EQ(slots.room(), 0u);
  }
  EXPECT_EQ(slots.room(), 100u);
}

TEST(slot_table, has_room_for_no_more_than_all_levels_together) {
  slot_table slots(100, 0);
  slots.set_limit(level::thread, 4);
  slots.set_limit(level::process, 2);
  EXPECT_EQ(slots.room(), 8u);
  const slot_guard one(slots, level::thread), two(slots, level::process);
  EXPECT_EQ(slots.room(), 6u);
}

TEST(slot_table, ends_that_are_not_recorded_take_slots_beyond_as_many_as_may_run_at_once) {
  slot_table slots(10, 0);
  slots.set_limit(level::loop, 10);
  EXPECT_EQ(slots.room(10), 10u);
  EXPECT_EQ(slots.room(13), 7u);
  EXPECT_EQ(slots.room(20), 0u);
  EXPECT_EQ(slots.room(2'000), 0u);
}

TEST(slot_table, jobs_may_wait_on_a_level_where_that_is_asked_for) {
  slot_table slots(10, 0);
  slots.set_limit(level::thread, 2);
  EXPECT_EQ(slots.room(), 2u);
  slots.set_ahead(level::thread, 2);
  EXPECT_EQ(slots.room(), 4u);
  const slot_guard one(slots, level::thread), two(slots, level::thread);
  EXPECT_EQ(slots.room(), 2u);
  slots.set_ahead(level::thread, 0);
  EXPECT_EQ(slots.room(), 0u);
}

TEST(slot_table, counts_the_jobs_that_may_be_started_in_all) {
  slot_table slots(10, 2);
  slots.set_limit(level::loop, 10);
  EXPECT_EQ(slots.room(), 2u);
  slots.job_began();
  slots.job_ended();
  EXPECT_EQ(slots.room(), 1u);
  EXPECT_FALSE(slots.is_spent());
  slots.job_began();
  EXPECT_EQ(slots.room(), 0u);
  EXPECT_TRUE(slots.is_spent());
  // It was parked.
  slots.job_did_not_count();
  EXPECT_FALSE(slots.is_spent());
}

TEST(slot_table, without_a_limit_it_is_never_spent) {
  slot_table slots(10, 0);
  slots.set_limit(level::loop, 10);
  for (int i = 0; i < 1'000; ++i) {
    slots.job_began();
    slots.job_ended();
  }
  EXPECT_FALSE(slots.is_spent());
  EXPECT_EQ(slots.room(), 10u);
}

}  // namespace
}  // namespace quarq::test::slot_table_tests
