// Payloads larger than what a server lets pile up on a connection with subscriptions (32 MB), and many that are so
// together.
#include <algorithm>
#include <set>

#include <quarq/errors.hpp>

#include "broker/redis_common/byte_limits.hpp"
#include "broker/redis_common/script_args.hpp"
#include "integration/redis_broker.hpp"

namespace quarq::test::redis_broker_tests {

namespace {

constexpr std::size_t more_than_the_server_allows = 40'000'000;

new_job job_of(std::string id, std::size_t bytes) {
  new_job made;
  made.id = std::move(id);
  made.record = std::string(bytes, made.id.back());
  return made;
}

settlement end_of(std::string id, std::size_t bytes, std::optional<milliseconds> keep) {
  settlement made;
  made.id = std::move(id);
  made.outcome = std::string(bytes, made.id.back());
  made.keep = keep;
  return made;
}

}  // namespace

REDIS_TEST(a_job_and_a_result_of_40_mb_arrive, {}) {
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  auto waiting = start_waiting(loop, elsewhere, "q", "big");
  for (const auto keep : {0ms, milliseconds(1h)}) {
    auto job = job_of("big", more_than_the_server_allows);
    co_await enqueue_one(*store, "q", job);
    co_await enqueue_ids(*store, "q", strings(1, "small"));
    waiting = start_waiting(loop, elsewhere, "q", "big");
    auto claimed = co_await claim_until(worker, 2);
    EXPECT_EQ(claimed.at(0).record == job.record, true);
    EXPECT_EQ(claimed.at(1).id, "small");
    auto details = co_await elsewhere->inspect("q", "big");
    EXPECT_TRUE(details && details->record == job.record);
    auto listed = co_await elsewhere->list("q", job_state::running, 10);
    EXPECT_EQ(listed.size(), 2u);
    co_await until_waited_for(server, 1);
    auto big = end_of("big", more_than_the_server_allows, keep);
    std::vector<settlement> batch = {big, end("small")};
    auto held = co_await store->settle(worker.held, batch);
    const std::vector<bool> both = {true, true};
    EXPECT_EQ(held, both);
    auto over = [&] { return waiting->over; };
    co_await until(over);
    EXPECT_TRUE(waiting->outcome && waiting->outcome->outcome == big.outcome) << waiting->error;
  }
  auto kept = co_await elsewhere->wait_ended("q", "big");
  EXPECT_TRUE(kept && kept->outcome.size() == more_than_the_server_allows);
  EXPECT_FALSE(server.has_cut_off_a_client()) << server.log();
}

REDIS_TEST(a_backlog_larger_than_a_reply_is_claimed_in_order, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  strings expected;
  for (int i = 0; i < 100; ++i) {
    expected.push_back("job" + std::to_string(100 + i));
    co_await enqueue_one(*store, "q", job_of(expected.back(), i == 50 ? 2'000'000 : 400'000));
  }
  auto claimed = co_await store->claim(worker.held, 256);
  strings ids;
  for (const auto& one : claimed.jobs) {
    ids.push_back(one.id);
    EXPECT_EQ(one.record.size(), one.id == "job150" ? 2'000'000u : 400'000u);
  }
  EXPECT_EQ(ids, expected);
  // A promise of a wake-up follows it as always.
  const int before = worker.heard->work_ready;
  co_await enqueue_ids(*store, "q", strings(1, "another"));
  auto rung = [&] { return worker.heard->work_ready > before; };
  co_await until(rung);
  EXPECT_FALSE(server.has_cut_off_a_client()) << server.log();
}

REDIS_TEST(many_results_that_are_large_together_arrive, {}) {
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  auto jobs = numbered_jobs(60);
  co_await store->enqueue("q", jobs);
  std::vector<std::shared_ptr<wait_under_way>> waits;
  for (std::size_t i = 0; i < 30; ++i) waits.push_back(start_waiting(loop, elsewhere, "q", jobs[i].id));
  co_await claim_until(worker, 60);
  std::vector<settlement> batch;
  for (const auto& job : jobs) batch.push_back(end_of(job.id, 1'000'000, 1h));
  co_await store->settle(worker.held, batch);
  for (const auto& job : jobs) waits.push_back(start_waiting(loop, elsewhere, "q", job.id));
  co_await until_all_are_over(waits);
  for (const auto& one : waits) {
    EXPECT_TRUE(one->outcome && one->outcome->outcome.size() == 1'000'000) << one->error;
  }
  auto listed = co_await elsewhere->list("q", job_state::succeeded, 1000);
  EXPECT_EQ(listed.size(), 60u);
  EXPECT_FALSE(server.has_cut_off_a_client()) << server.log();
}

REDIS_TEST(small_results_that_are_large_together_are_told_in_pieces, {}) {
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  auto jobs = numbered_jobs(80);
  co_await store->enqueue("q", jobs);
  std::vector<std::shared_ptr<wait_under_way>> waits;
  for (const auto& job : jobs) waits.push_back(start_waiting(loop, elsewhere, "q", job.id));
  co_await claim_until(worker, 80);
  std::vector<settlement> batch;
  for (const auto& job : jobs) batch.push_back(end_of(job.id, 200'000, 0ms));
  co_await store->settle(worker.held, batch);
  co_await until_all_are_over(waits);
  for (const auto& one : waits) {
    EXPECT_TRUE(one->outcome && one->outcome->outcome.size() == 200'000) << one->error;
  }
  EXPECT_FALSE(server.has_cut_off_a_client()) << server.log();
}

TEST(redis_broker, what_no_server_would_store_is_refused_with_its_size_and_the_limit) {
  using namespace broker::redis_common;
  const std::vector<new_job> jobs = {job_of("a", 10), job_of("b", 11)};
  try {
    check_sizes(jobs, 10);
    ADD_FAILURE() << "it was taken";
  } catch (const usage_error& e) {
    EXPECT_STREQ(e.what(), R"(the record of job "b" has 11 bytes; Redis stores at most 10)");
  }
  const std::vector<settlement> batch = {end_of("a", 10, 0ms), end_of("b", 11, 0ms)};
  try {
    check_sizes(batch, 10);
    ADD_FAILURE() << "it was taken";
  } catch (const broker_error& e) {
    EXPECT_EQ(e.why(), broker_error::reason::refused);
    EXPECT_STREQ(e.what(), R"(the outcome of job "b" has 11 bytes; Redis stores at most 10)");
  }
  EXPECT_NO_THROW(check_sizes(jobs));
  EXPECT_LT(max_stored_payload, std::size_t{512} << 20);
}

}  // namespace quarq::test::redis_broker_tests
