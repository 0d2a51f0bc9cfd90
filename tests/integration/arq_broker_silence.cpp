// The arq broker when no worker was heard for a while.
#include <string>

#include "integration/arq_broker.hpp"

namespace quarq::test::arq_broker_tests {

namespace {

/// A worker that holds a job, whose lease of this duration ran out so long ago, and nobody was heard since it
/// was renewed.
awaitable<worker_end> silent_worker(const redis_server& server, std::shared_ptr<broker::broker> store,
                                    milliseconds lease, milliseconds run_out) {
  auto worker = co_await new_worker(store, "default", lease);
  co_await enqueue_ids(*store, "default", strings(1, "job"));
  co_await claim_ids(worker, 1);
  const auto ran_out = now_ms() - run_out.count();
  ask(server, {"ZADD", "arq:quarq:leases", std::to_string(ran_out), worker.held.token});
  ask(server, {"SET", "arq:quarq:last_heard", std::to_string(ran_out - lease.count())});
  co_return worker;
}

}  // namespace

// Bursts that a timer starts are the only workers of some queues.
ARQ_TEST(who_comes_after_a_long_silence_finds_lost_jobs, {}) {
  auto store = open_arq(server, loop);
  auto lost = co_await silent_worker(server, store, 5s, 115s);
  auto burst = co_await new_worker(store, "default", 5s);
  const auto found = co_await claim_ids(burst, 1);
  EXPECT_EQ(found, strings(1, "job"));
}

ARQ_TEST(who_comes_after_a_short_silence_gives_others_a_moment, {}) {
  auto store = open_arq(server, loop);
  auto stalled = co_await silent_worker(server, store, 20s, 1s);
  const auto asked = now_ms();
  auto other = co_await new_worker(store, "default", 20s);
  const auto found = co_await claim_ids(other, 1);
  EXPECT_EQ(found, strings());
  const auto until = std::stod(ask(server, {"ZSCORE", "arq:quarq:leases", stalled.held.token}).text);
  // The server's moments have fractions of a millisecond, which now_ms() drops.
  EXPECT_GE(until, static_cast<double>(asked + 4'500));
  EXPECT_LE(until, static_cast<double>(now_ms() + 4'501));
  const auto answer = co_await renew(stalled, 20s);
  EXPECT_TRUE(answer.held);
}

}  // namespace quarq::test::arq_broker_tests
