// Jobs that are claimed before there are slots for them, and claims that are under way while others run.
#include <algorithm>
#include <chrono>
#include <string>

#include <fmt/format.h>

#include "unit/workers/fetcher_test.hpp"
#include "workers/work_ahead.hpp"

namespace quarq::test::fetcher_ahead_tests {
namespace {

using workers::slot_guard;
using workers::slot_table;
using workers::work_ahead;

work_ahead after(int jobs, std::chrono::nanoseconds each) {
  work_ahead known;
  for (int i = 0; i < jobs; ++i) known.note_use(each);
  return known;
}

TEST(work_ahead, is_none_while_jobs_are_not_known_to_be_quick) {
  EXPECT_EQ(work_ahead().jobs(100), 0u);
  EXPECT_EQ(after(3, 1us).jobs(100), 0u);
  EXPECT_EQ(after(1000, 2ms).jobs(100), 0u);
}

TEST(work_ahead, is_what_ends_within_the_time_that_a_job_is_expected_to_wait) {
  EXPECT_EQ(after(1000, 900us).jobs(1), 2u);
  EXPECT_EQ(after(1000, 900us).jobs(10), 20u);
  EXPECT_EQ(after(1000, 900us).jobs(1'000), work_ahead::max_ahead);
  EXPECT_EQ(after(1000, 0us).jobs(1), work_ahead::max_ahead);
}

TEST(work_ahead, is_none_after_a_job_has_waited_in_vain) {
  auto known = after(1000, 1us);
  known.note_delay();
  EXPECT_EQ(known.jobs(1'000), 0u);
}

slot_table quick_slots(std::size_t concurrency, std::size_t max_jobs = 0) {
  slot_table slots(concurrency, max_jobs);
  slots.set_limit(level::loop, concurrency);
  for (int i = 0; i < 1000; ++i) slots.note_use(1us);
  return slots;
}

TEST(slot_table_ahead, has_room_for_jobs_that_wait_for_a_slot_while_jobs_are_quick) {
  auto slots = quick_slots(3);
  EXPECT_EQ(slots.room(), 3 + work_ahead::max_ahead);
  EXPECT_TRUE(slots.has_slot());
  for (int i = 0; i < 3; ++i) slots.job_began();
  EXPECT_EQ(slots.room(), work_ahead::max_ahead);
  EXPECT_FALSE(slots.has_slot());
  slots.note_delay();
  EXPECT_EQ(slots.room(), 0u);
}

TEST(slot_table_ahead, has_room_for_no_more_than_may_be_started_in_all) {
  EXPECT_EQ(quick_slots(3, 7).room(), 7u);
}

TEST(slot_table_ahead, has_no_room_for_others_while_one_waits_for_a_thread) {
  auto slots = quick_slots(3);
  slots.set_limit(level::thread, 1);
  EXPECT_EQ(slots.room(), 3 + work_ahead::max_ahead);
  const slot_guard busy(slots, level::thread), waits(slots, level::thread);
  EXPECT_EQ(slots.room(), 0u);
}

TEST(slot_table_ahead, is_none_where_no_handler_runs_on_the_loop) {
  slot_table slots(3, 0);
  slots.set_limit(level::thread, 5);
  for (int i = 0; i < 1000; ++i) slots.note_use(1us);
  EXPECT_EQ(slots.room(), 3u);
  for (int i = 0; i < 3; ++i) slots.job_began();
  EXPECT_TRUE(slots.has_slot()) << "what was claimed has its place in the line of its level";
}

TEST(slot_table_ahead, has_no_room_for_others_where_the_weights_of_queues_count) {
  auto slots = quick_slots(3);
  slots.claim_for_free_slots_only();
  EXPECT_EQ(slots.room(), 3u);
}

class fetcher_ahead_test : public fetcher_test {
 protected:
  void be_quick(std::size_t concurrency = 5, std::size_t max_jobs = 0) {
    slots_ = quick_slots(concurrency, max_jobs);
  }
  void put_many(int count) {
    for (int i = 0; i < count; ++i) broker_.put("default", queued(fmt::format("{:03}", i)));
  }
  void end(std::size_t jobs) {
    for (std::size_t i = 0; i < jobs; ++i) {
      slots_.job_ended();
      fetcher_->wake();
    }
    loop_.run_ready();
  }
  strings waiting() const {
    strings ids;
    fetcher_->append_ids(leases_.front(), ids);
    return ids;
  }
  std::size_t queued_count() const {
    std::size_t count = 0;
    for (int i = 0; broker_.find("default", fmt::format("{:03}", i)) != nullptr; ++i)
      count += state_of(fmt::format("{:03}", i)) == job_state::queued ? 1 : 0;
    return count;
  }
};

TEST_F(fetcher_ahead_test, the_next_claim_is_under_way_when_the_jobs_of_the_last_one_begin) {
  slots_ = slot_table(600, 0);
  slots_.set_limit(level::loop, 600);
  put_many(300);
  std::vector<std::size_t> claims_at_start;
  on_start_ = [&] { claims_at_start.push_back(claims().size()); };
  fetch();
  ASSERT_EQ(claims_at_start.size(), 300u);
  EXPECT_EQ(claims_at_start.front(), 2u);
  EXPECT_EQ(claims(), (std::vector<std::size_t>{256, 256})) << "the second one has brought all that was left";
}

TEST_F(fetcher_ahead_test, starts_no_more_jobs_than_there_are_slots) {
  be_quick();
  put_many(20);
  fetch();
  EXPECT_EQ(claims(), (std::vector<std::size_t>{256}));
  EXPECT_EQ(started_.size(), 5u);
  EXPECT_EQ(waiting().size(), 15u);
  end(2);
  EXPECT_EQ(started_.size(), 7u);
  end(5);
  end(5);
  end(5);
  EXPECT_EQ(started_.size(), 20u);
  EXPECT_TRUE(std::is_sorted(started_.begin(), started_.end()));
}

TEST_F(fetcher_ahead_test, claims_no_more_until_half_of_what_may_wait_is_gone) {
  be_quick(1);
  put_many(400);
  fetch();
  EXPECT_EQ(claims(), (std::vector<std::size_t>{256}));
  for (int i = 0; i < 126; ++i) end(1);
  EXPECT_EQ(claims().size(), 1u);
  for (int i = 0; i < 2; ++i) end(1);
  EXPECT_EQ(claims(), (std::vector<std::size_t>{256, 128}));
}

TEST_F(fetcher_ahead_test, hands_back_what_waits_for_a_slot_for_too_long) {
  be_quick();
  put_many(20);
  fetch();
  pass(work_ahead::max_wait - 1ms);
  EXPECT_EQ(waiting().size(), 15u);
  pass(1ms);
  EXPECT_EQ(waiting(), strings());
  EXPECT_EQ(queued_count(), 15u);
  EXPECT_EQ(claims().size(), 1u) << "there is no slot";
  end(1);
  EXPECT_EQ(claims(), (std::vector<std::size_t>{256, 1})) << "jobs are not known to be quick any more";
  EXPECT_EQ(started_.size(), 6u);
}

TEST_F(fetcher_ahead_test, hands_back_what_waits_for_a_slot_when_it_stops) {
  be_quick();
  put_many(20);
  auto& f = fetch();
  f.stop();
  loop_.run_ready();
  EXPECT_EQ(started_.size(), 5u);
  EXPECT_EQ(queued_count(), 15u);
  EXPECT_EQ(waiting(), strings());
}

TEST_F(fetcher_ahead_test, hands_back_what_waits_for_a_slot_when_another_job_is_to_run_alone) {
  be_quick();
  put_many(8);
  broker_.put("default", queued("alone"));
  put({"after", "later"});
  fetch();
  end(4);
  EXPECT_EQ(started_.back(), "alone");
  EXPECT_EQ(state_of("after"), job_state::queued);
  EXPECT_EQ(state_of("later"), job_state::queued);
}

TEST_F(fetcher_ahead_test, what_waits_for_a_slot_under_a_lost_lease_is_other_workers) {
  be_quick();
  put_many(20);
  auto& f = fetch();
  f.lease_lost(lease());
  EXPECT_EQ(waiting(), strings());
  end(5);
  EXPECT_EQ(started_.size(), 5u);
  EXPECT_TRUE(broker_.settled().empty());
}

TEST_F(fetcher_ahead_test, hands_back_a_job_that_is_cancelled_while_it_waits_for_a_slot) {
  be_quick();
  put_many(7);
  auto& f = fetch();
  f.cancel_requested(lease(), "000");
  f.cancel_requested(lease(), "005");
  EXPECT_EQ(waiting(), strings{"006"}) << "the first one runs";
  loop_.run_ready();
  ASSERT_EQ(broker_.settled().size(), 1u);
  EXPECT_EQ(broker_.settled()[0].id, "005");
}

TEST_F(fetcher_ahead_test, a_burst_does_not_end_while_jobs_wait_for_a_slot) {
  be_quick();
  put_many(7);
  make(true);
  auto& f = fetch();
  is_idle_ = true;
  f.wake();
  loop_.run_ready();
  EXPECT_FALSE(f.is_stopped());
  end(5);
  EXPECT_EQ(started_.size(), 7u);
}

TEST_F(fetcher_ahead_test, claims_no_more_jobs_than_may_be_started_in_all) {
  be_quick(2, 6);
  put_many(20);
  const auto& f = fetch();
  EXPECT_EQ(claims(), (std::vector<std::size_t>{6}));
  end(2);
  EXPECT_FALSE(f.is_stopped());
  end(2);
  EXPECT_TRUE(f.is_stopped());
  EXPECT_EQ(started_.size(), 6u);
}

TEST_F(fetcher_ahead_test, what_is_pushed_while_all_slots_are_taken_waits_for_one) {
  be_quick(2);
  put_many(2);
  auto& f = fetch();
  push(f, "pushed");
  EXPECT_EQ(started_.size(), 2u);
  EXPECT_EQ(waiting(), strings{"pushed"});
  end(1);
  EXPECT_EQ(started_.back(), "pushed");
}

}  // namespace
}  // namespace quarq::test::fetcher_ahead_tests
