// The arq broker when no worker was heard for a while.
#include <string>

#include "integration/arq_broker.hpp"

namespace quarq::test::arq_broker_tests {

// Bursts that a timer starts are the only workers of some queues.
ARQ_TEST(who_comes_after_a_long_silence_finds_lost_jobs, {}) {
  auto store = open_arq(server, loop);
  auto lost = co_await new_worker(store, "default", 5s);
  co_await enqueue_ids(*store, "default", strings(1, "job"));
  co_await claim_ids(lost, 1);
  ask(server, {"ZADD", "arq:quarq:leases", std::to_string(now_ms() - 115'000), lost.held.token});
  ask(server, {"SET", "arq:quarq:last_heard", std::to_string(now_ms() - 120'000)});
  auto burst = co_await new_worker(store, "default", 5s);
  const auto found = co_await claim_ids(burst, 1);
  EXPECT_EQ(found, strings(1, "job"));
}

ARQ_TEST(who_comes_after_a_short_silence_gives_others_a_moment, {}) {
  auto store = open_arq(server, loop);
  auto stalled = co_await new_worker(store, "default", 20s);
  co_await enqueue_ids(*store, "default", strings(1, "job"));
  co_await claim_ids(stalled, 1);
  ask(server, {"ZADD", "arq:quarq:leases", std::to_string(now_ms() - 1'000), stalled.held.token});
  ask(server, {"SET", "arq:quarq:last_heard", std::to_string(now_ms() - 21'000)});
  auto other = co_await new_worker(store, "default", 20s);
  const auto found = co_await claim_ids(other, 1);
  EXPECT_EQ(found, strings());
  const auto until = std::stod(ask(server, {"ZSCORE", "arq:quarq:leases", stalled.held.token}).text);
  EXPECT_LE(until, static_cast<double>(now_ms() + 2'500));
  const auto answer = co_await renew(stalled, 20s);
  EXPECT_TRUE(answer.held);
}

}  // namespace quarq::test::arq_broker_tests
