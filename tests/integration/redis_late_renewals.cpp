// Workers that are always heard late, as on a machine that is too busy: each of their renewals seems to end an outage, for
// which the leases of all are extended. A worker that died is found all the same. On both layouts of Redis; SQLite's is in
// sqlite_clocks.cpp.
#include <string>

#include "integration/arq_python.hpp"
#include "integration/broker_conformance.hpp"
#include "support/on_loop.hpp"

namespace quarq::test::redis_late_renewals_tests {

namespace {

constexpr milliseconds lease_time{300};

/// Makes the server believe that nobody was heard for two seconds.
using silence = void (*)(const redis_server& server, std::int64_t since_ms);

awaitable<void> find_the_dead(const redis_server& server, std::string url, silence be_silent) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto store = broker::open(url, loop);
  const auto dead = co_await new_worker(store, "q", lease_time);
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  co_await claim_until(dead, 1);
  const auto late = co_await new_worker(store, "another", lease_time);
  auto state = co_await state_of(*store, "q", "job");
  EXPECT_EQ(state, job_state::running);
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while (state == job_state::running && std::chrono::steady_clock::now() < deadline) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    be_silent(server, std::chrono::duration_cast<milliseconds>(now - 2s).count());
    const auto renewal = co_await renew(late, lease_time);
    EXPECT_TRUE(renewal.held);
    state = co_await state_of(*store, "q", "job");
  }
  EXPECT_EQ(state, job_state::queued);
}

TEST(redis_late_renewals, a_dead_worker_is_found_on_redis) {
  const redis_server server;
  run_on_loop(find_the_dead(server, server.url(), [](const redis_server& at, std::int64_t since_ms) {
    at.command(strings{"HSET", "quarq:heard", "", std::to_string(since_ms)});
  }));
}

TEST(redis_late_renewals, a_dead_worker_is_found_on_arqs_keys) {
  const redis_server server;
  run_on_loop(find_the_dead(server, arq_url(server), [](const redis_server& at, std::int64_t since_ms) {
    at.command(strings{"SET", "arq:quarq:last_heard", std::to_string(since_ms)});
  }));
}

}  // namespace

}  // namespace quarq::test::redis_late_renewals_tests
