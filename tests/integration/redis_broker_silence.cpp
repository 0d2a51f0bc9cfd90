// The redis broker when no worker was heard for a while, or the server's clock was set.
#include <chrono>
#include <string>

#include "integration/redis_broker.hpp"

namespace quarq::test::redis_broker_tests {

REDIS_TEST(a_lost_worker_is_found_although_the_servers_clock_was_set_back, {}) {
  auto store = open(server, loop);
  auto lost = co_await new_worker(store, "q", 5s);
  auto other = co_await new_worker(store, "q", 5s);
  const auto an_hour_on =
      std::chrono::ceil<milliseconds>(std::chrono::system_clock::now().time_since_epoch()) + 1h;
  const auto then = std::to_string(an_hour_on.count());
  for (const auto* worker : {&lost, &other}) {
    const strings runs_out = {"ZADD", "quarq:leases", then, worker->held.token};
    server.command(runs_out);
  }
  const strings heard = {"HSET", "quarq:heard", "", then},
                until = {"ZSCORE", "quarq:leases", lost.held.token};
  server.command(heard);
  const auto answer = co_await renew(other, 5s);
  EXPECT_TRUE(answer.held);
  EXPECT_LE(std::stod(server.command(until).text), static_cast<double>((an_hour_on - 50min).count()));
}

REDIS_TEST(who_comes_after_a_short_silence_gives_others_a_moment, {}) {
  auto store = open(server, loop);
  auto stalled = co_await new_worker(store, "q", 20s);
  const auto now = [] {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  };
  const auto asked = now();
  const strings ran_out = {"ZADD", "quarq:leases", std::to_string(asked - 1'000), stalled.held.token},
                heard = {"HSET", "quarq:heard", "", std::to_string(asked - 21'000)},
                until = {"ZSCORE", "quarq:leases", stalled.held.token};
  server.command(ran_out);
  server.command(heard);
  auto other = co_await new_worker(store, "q", 20s);
  const auto lasts = std::stoll(server.command(until).text);
  EXPECT_GE(lasts, asked + 4'500);
  EXPECT_LE(lasts, now() + 4'500);
  const auto answer = co_await renew(stalled, 20s);
  EXPECT_TRUE(answer.held);
}

}  // namespace quarq::test::redis_broker_tests
