#include "workers/slot_table.hpp"

#include <gtest/gtest.h>

namespace quarq::test::slot_table_tests {
namespace {

using workers::job_slots;
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

TEST(slot_table, a_job_that_waits_for_another_lends_both_of_its_slots) {
  slot_table slots(2, 0);
  slots.set_limit(level::loop, 2);
  job_slots one(slots), two(slots);
  one.take_level(level::loop);
  two.take_level(level::loop);
  EXPECT_EQ(slots.room(), 0u);
  one.lend();
  EXPECT_TRUE(one.are_lent());
  EXPECT_EQ(slots.room(), 1u);
  one.take_back();
  EXPECT_EQ(slots.room(), 0u);
}

TEST(slot_table, what_was_lent_is_taken_back_even_if_that_is_one_too_many) {
  slot_table slots(1, 0);
  slots.set_limit(level::loop, 1);
  job_slots parent(slots);
  parent.take_level(level::loop);
  parent.lend();
  {
    job_slots child(slots);
    child.take_level(level::loop);
    EXPECT_EQ(slots.room(), 0u);
    parent.take_back();
    EXPECT_EQ(slots.room(), 0u);
  }
  EXPECT_EQ(slots.room(), 0u) << "the parent still has its slot";
  parent.leave_level();
}

TEST(slot_table, a_job_that_ends_gives_back_what_it_has_and_no_more) {
  slot_table slots(2, 0);
  slots.set_limit(level::loop, 2);
  const auto ends = [&](bool leaves_level, bool lends, bool takes_back) {
    {
      job_slots job(slots);
      job.take_level(level::loop);
      if (lends) job.lend();
      if (takes_back) job.take_back();
      if (leaves_level) job.leave_level();
    }
    return slots.room();
  };
  EXPECT_EQ(ends(false, false, false), 2u);
  EXPECT_EQ(ends(true, false, false), 2u);
  EXPECT_EQ(ends(true, true, true), 2u);
  EXPECT_EQ(ends(true, true, false), 2u) << "it ended while it waited";
  EXPECT_EQ(ends(false, true, false), 2u);
}

TEST(slot_table, a_job_whose_handler_has_ended_lends_no_slot_of_its_level) {
  slot_table slots(2, 0);
  slots.set_limit(level::loop, 2);
  job_slots job(slots);
  job.take_level(level::loop);
  job.leave_level();
  job.lend();
  EXPECT_EQ(slots.room(), 2u);
  job.take_back();
  EXPECT_EQ(slots.room(), 1u);
}

TEST(slot_table, a_job_that_waits_counts_as_started) {
  slot_table slots(2, 1);
  slots.set_limit(level::loop, 2);
  job_slots job(slots);
  job.lend();
  EXPECT_TRUE(slots.is_spent());
  EXPECT_EQ(slots.room(), 0u);
  job.take_back();
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
