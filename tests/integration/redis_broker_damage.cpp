// The Redis broker where somebody else's hands were: damaged records, keys of another type; and how often it asks
// again what was answered.
#include <algorithm>
#include <chrono>

#include <quarq/errors.hpp>

#include "broker/redis_common/result_waiters.hpp"
#include "integration/redis_broker.hpp"

namespace quarq::test::redis_broker_tests {

REDIS_TEST(a_damaged_record_ends_its_own_job_and_no_other, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  const auto jobs = numbered_jobs(11);
  co_await store->enqueue("q", jobs);
  const auto& damaged = jobs[4].id;
  server.command(strings{"HSET", "quarq:{q}:jobs", damaged, "short"});
  auto ids = co_await claim_ids(worker, 100);
  EXPECT_EQ(ids.size(), 10u);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), damaged), 0);
  for (const auto& id : ids) {
    const bool held = co_await settle_one(worker, end(id));
    EXPECT_TRUE(held);
  }
  const auto job = co_await store->inspect("q", damaged);
  EXPECT_TRUE(job && job->state == job_state::dead);
  EXPECT_NE(job->outcome.find("the job's record in Redis is damaged"), std::string::npos);
  auto summary = co_await summary_of(*store, "q");
  EXPECT_EQ(summary.running, 0u);
  EXPECT_EQ(summary.dead, 1u);
  // It would only die again.
  co_await store->requeue("q", {});
  summary = co_await summary_of(*store, "q");
  EXPECT_EQ(summary.queued + summary.dead, 0u);
}

REDIS_TEST(a_lease_that_could_not_be_opened_leaves_nothing, {}) {
  auto store = open(server, loop);
  co_await expect_unopened_leases_leave_nothing(server, store, "q", "quarq:{q}:leases", "quarq:{q}:lease:*");
}

REDIS_TEST(who_waits_long_asks_again_ever_more_rarely, {}) {
  // Notes when it is asked, and says that the job has not ended.
  const redis::script notes(
      "local t = redis.call('TIME') redis.call('RPUSH', 'asked', t[1] * 1000 + t[2] / 1000) return {0}");
  auto connection = connect(server, loop);
  auto payloads = connect(server, loop);
  auto waits = std::make_shared<broker::redis_common::result_waiters>(
      loop, *connection, notes, broker::redis::key_prefix, 20ms, payloads.get(), 80ms);
  auto running = std::make_shared<int>(0);
  auto waiting = [](auto on) -> awaitable<void> { co_await on->wait("q", "job"); };
  const auto began =
      std::chrono::duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch());
  start(loop, waiting(waits), running);
  const strings length = {"LLEN", "asked"}, all = {"LRANGE", "asked", "0", "-1"};
  auto enough = [&] { return server.command(length).integer >= 6; };
  co_await until(enough);
  const auto asked = server.command(all);
  const double pauses[] = {0, 20, 40, 80, 80, 80};
  double soonest = began.count() - 1;
  for (std::size_t i = 0; i < 6; ++i) {
    soonest += pauses[i];
    EXPECT_GE(std::stod(asked.items.at(i).text), soonest) << i;
  }
  waits->close();
}

}  // namespace quarq::test::redis_broker_tests
