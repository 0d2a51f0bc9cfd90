// Payloads and results larger than what a server lets pile up on a connection with subscriptions (32 MB), and many
// that are so together; in both of arq's serializers.
#include <algorithm>

#include <quarq/errors.hpp>

#include "broker/arq/keys.hpp"
#include "broker/arq/scripts.hpp"
#include "broker/redis_common/byte_limits.hpp"
#include "integration/arq_broker.hpp"
#include "redis/url.hpp"

namespace quarq::test::arq_broker_tests {

namespace {

constexpr std::size_t more_than_the_server_allows = 40'000'000;
constexpr const char* serializers[] = {"?codec=pickle", "?codec=msgpack"};

redis_server_options small_query_buffers() {
  redis_server_options options;
  options.extra = {"--client-query-buffer-limit", "30mb"};
  return options;
}

// What fills so many bytes differs from job to job.
std::string filling(const std::string& id, std::size_t bytes) {
  return std::string(bytes, id.back());
}

new_job job_of(std::string id, std::size_t bytes) {
  new_job made;
  made.record = record_saying(filling(id, bytes));
  made.id = std::move(id);
  return made;
}

settlement end_of(const std::string& id, std::size_t bytes, std::optional<milliseconds> keep) {
  return end(id, job_state::succeeded, filling(id, bytes), keep);
}

void expect_ends(const std::vector<std::shared_ptr<wait_under_way>>& waits, std::size_t bytes) {
  for (const auto& one : waits) {
    EXPECT_TRUE(one->outcome && said_in_outcome(one->outcome->outcome).size() == bytes) << one->error;
  }
}

awaitable<void> expect_40_mb_arrive(const redis_server& server, any_io_executor loop, const char* serializer,
                                    milliseconds keep) {
  auto store = open_arq(server, loop, serializer);
  auto elsewhere = open_arq(server, loop, serializer);
  const std::string queue = serializer + 7;
  const auto id = queue + "1", beside = queue + "2";
  auto worker = co_await new_worker(store, queue);
  co_await enqueue_one(*store, queue, job_of(id, more_than_the_server_allows));
  co_await enqueue_ids(*store, queue, strings(1, beside));
  const std::vector<std::shared_ptr<wait_under_way>> waits = {start_waiting(loop, elsewhere, queue, id)};
  auto claimed = co_await claim_until(worker, 2);
  co_await until_waited_for(server, waits.size());
  EXPECT_TRUE(said_in_record(claimed.at(0).record) == filling(id, more_than_the_server_allows));
  EXPECT_EQ(claimed.at(1).id, beside);
  std::vector<settlement> batch = {end_of(id, more_than_the_server_allows, keep), end(beside)};
  auto held = co_await store->settle(worker.held, batch);
  EXPECT_EQ(held, std::vector<bool>(2, true));
  co_await until_all_are_over(waits);
  const auto& ended = *waits.front();
  EXPECT_TRUE(ended.outcome &&
              said_in_outcome(ended.outcome->outcome) == filling(id, more_than_the_server_allows))
      << ended.error;
  if (keep == 0ms) co_return;
  auto again = co_await store->wait_ended(queue, id);
  EXPECT_TRUE(again && said_in_outcome(again->outcome).size() == more_than_the_server_allows);
}

}  // namespace

ARQ_TEST(a_job_and_a_result_of_40_mb_arrive, {}) {
  co_await expect_40_mb_arrive(server, loop, "?codec=pickle", 1h);
  co_await expect_40_mb_arrive(server, loop, "?codec=msgpack", 0ms);
  EXPECT_FALSE(server.has_cut_off_a_client()) << server.log();
}

ARQ_TEST(a_backlog_larger_than_a_reply_is_claimed_in_order, {}) {
  for (const auto* serializer : serializers) {
    auto store = open_arq(server, loop, serializer);
    const std::string queue = serializer + 7;
    auto worker = co_await new_worker(store, queue);
    auto jobs = numbered_jobs(200, queue);
    strings expected;
    for (auto& job : jobs) {
      expected.push_back(job.id);
      job = job_of(job.id, job.id.ends_with("100") ? 2'000'000 : 400'000);
    }
    co_await store->enqueue(queue, std::move(jobs));
    auto ids = co_await claim_ids(worker, 256);
    EXPECT_EQ(ids, expected);
  }
  EXPECT_FALSE(server.has_cut_off_a_client()) << server.log();
}

ARQ_TEST(many_results_that_are_large_together_arrive, {}) {
  for (const auto* serializer : serializers) {
    auto store = open_arq(server, loop, serializer);
    auto elsewhere = open_arq(server, loop, serializer);
    const std::string queue = serializer + 7;
    auto worker = co_await new_worker(store, queue);
    auto jobs = numbered_jobs(60, queue);
    co_await store->enqueue(queue, jobs);
    std::vector<std::shared_ptr<wait_under_way>> waits;
    for (std::size_t i = 0; i < 30; ++i) waits.push_back(start_waiting(loop, elsewhere, queue, jobs[i].id));
    co_await claim_until(worker, 60);
    std::vector<settlement> batch;
    for (const auto& job : jobs) batch.push_back(end_of(job.id, 1'000'000, 1h));
    co_await store->settle(worker.held, batch);
    for (const auto& job : jobs) waits.push_back(start_waiting(loop, elsewhere, queue, job.id));
    co_await until_all_are_over(waits);
    expect_ends(waits, 1'000'000);
  }
  EXPECT_FALSE(server.has_cut_off_a_client()) << server.log();
}

ARQ_TEST(results_that_are_not_kept_and_large_together_arrive, {}) {
  auto store = open_arq(server, loop);
  auto elsewhere = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  auto jobs = numbered_jobs(80);
  co_await store->enqueue("default", jobs);
  std::vector<std::shared_ptr<wait_under_way>> waits;
  for (const auto& job : jobs) waits.push_back(start_waiting(loop, elsewhere, "default", job.id));
  co_await claim_until(worker, 80);
  co_await until_waited_for(server, waits.size());
  std::vector<settlement> batch;
  for (const auto& job : jobs) batch.push_back(end_of(job.id, 300'000, 0ms));
  co_await store->settle(worker.held, batch);
  co_await until_all_are_over(waits);
  expect_ends(waits, 300'000);
  EXPECT_FALSE(server.has_cut_off_a_client()) << server.log();
}

// A result repeats what was to be done: of jobs with large payloads it is large, however short their ends are.
ARQ_TEST(jobs_with_large_payloads_are_settled_a_few_at_a_time, small_query_buffers()) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  auto jobs = numbered_jobs(200);
  std::vector<settlement> ends;
  for (auto& job : jobs) {
    job = job_of(job.id, 200'000);
    ends.push_back(end(job.id, job_state::succeeded, "done", 1h));
  }
  co_await store->enqueue("default", jobs);
  co_await claim_until(worker, jobs.size());
  auto held = co_await store->settle(worker.held, ends);
  EXPECT_EQ(held, std::vector<bool>(jobs.size(), true));
  EXPECT_EQ(server.log().find("reached max query buffer length"), std::string::npos) << server.log();
}

ARQ_TEST(what_no_server_would_store_is_refused_with_its_size_and_the_limit, {}) {
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  co_await enqueue_ids(*store, "default", strings(1, "job"));
  co_await claim_ids(worker, 1);
  const auto too_large = broker::redis_common::max_stored_payload + 1;
  std::vector<new_job> jobs(1);
  jobs[0].id = "other";
  jobs[0].record.assign(too_large, 'x');
  const auto refused = co_await error_of<usage_error>(store->enqueue("default", std::move(jobs)));
  EXPECT_EQ(refused, R"(the record of job "other" has 536866817 bytes; Redis stores at most 536866816)");
  std::vector<settlement> ends(1, end("job"));
  ends[0].outcome.assign(too_large, 'x');
  auto settling = store->settle(worker.held, std::move(ends));
  std::optional<broker_error::reason> why;
  try {
    co_await std::move(settling);
  } catch (const broker_error& e) {
    why = e.why();
  }
  EXPECT_TRUE(why == broker_error::reason::refused);
  const bool held = co_await settle_one(worker, end("job"));
  EXPECT_TRUE(held);
}

ARQ_TEST(a_result_that_nobody_heard_waits_for_its_client, {}) {
  redis::connection connection(loop, redis::parse_url(server.url()));
  const auto ask_after = [&connection](std::string id) -> awaitable<redis::reply> {
    strings keys(1, broker::arq::own_prefix("arq:queue"));
    strings question = {"0123456789ABCDEFGHJKMNPQRS", "1000000", "1000000", std::move(id)};
    auto answer = co_await connection.run(broker::arq::scripts().wait, keys, question);
    co_return answer.items.at(0);
  };
  auto store = open_arq(server, loop);
  auto worker = co_await new_worker(store, "default");
  co_await enqueue_ids(*store, "default", strings(1, "job"));
  auto answer = co_await ask_after("job");
  EXPECT_EQ(answer.integer, 0);
  co_await claim_ids(worker, 1);
  co_await settle_one(worker, end("job", job_state::failed, "why"));
  const auto first = co_await ask_after("job");
  EXPECT_EQ(first.text.substr(0, 1), "4");
  // That answer may have got lost.
  answer = co_await ask_after("job");
  EXPECT_EQ(answer.text, first.text);
  // An end of an earlier job of this id is no answer.
  co_await enqueue_ids(*store, "default", strings(1, "job"));
  answer = co_await ask_after("job");
  EXPECT_EQ(answer.integer, 0);
}

}  // namespace quarq::test::arq_broker_tests
