// A master, its replica and three sentinels: who looks for the master finds it, also after it has changed.
#include <algorithm>

#include <quarq/quarq.hpp>

#include "integration/worker_lab.hpp"
#include "redis/connection.hpp"
#include "redis/url.hpp"
#include "support/on_loop.hpp"
#include "support/sentinels.hpp"

namespace quarq::test::redis_sentinel_tests {
namespace {

using redis::connection;
using redis::parse_url;

awaitable<std::string> failure_of(std::string url) {
  auto loop = co_await boost::asio::this_coro::executor;
  redis::connection c(loop, parse_url(url), {});
  strings ping(1, "PING");
  auto t = co_await error_of(c.command(ping));
  co_return t.what;
}

awaitable<void> set(std::string url, std::string key) {
  auto loop = co_await boost::asio::this_coro::executor;
  redis::connection c(loop, parse_url(url), {});
  strings words = {"SET", std::move(key), "here"};
  co_await c.command(words);
}

bool has(const redis_server& server, const std::string& key) {
  return server.command({"GET", key}).text == "here";
}

std::string host_of(const redis_server& server) {
  return "127.0.0.1:" + std::to_string(server.port());
}

TEST(redis_sentinel, a_command_reaches_the_master) {
  sentinels redis;
  run_on_loop(set(redis.url(), "k"));
  EXPECT_TRUE(has(redis.first(), "k"));
}

TEST(redis_sentinel, sentinels_that_are_down_are_passed_over) {
  sentinels redis;
  redis.sentinel(0).kill();
  run_on_loop(set(redis.url(), "one"));
  EXPECT_TRUE(has(redis.first(), "one"));
  redis.sentinel(1).pause();  // connects, but says nothing
  run_on_loop(set(redis.url(), "two"));
  EXPECT_TRUE(has(redis.first(), "two"));
}

TEST(redis_sentinel, all_sentinels_down_is_told_within_the_timeout) {
  sentinels redis;
  for (const std::size_t i : {0, 1, 2}) redis.sentinel(i).kill();
  const auto failure = run_on_loop(failure_of(redis.url() + "&timeout=0.5"));
  const auto begin = "redis+sentinel://" + redis.hosts() + "?master=jobs: no connection within 0.500 s: ";
  EXPECT_EQ(failure.substr(0, begin.size()), begin);
  for (const std::size_t i : {0, 1, 2}) {
    const auto each = "the sentinel at " + host_of(redis.sentinel(i)) + ": Connection refused";
    EXPECT_NE(failure.find(each), std::string::npos) << failure;
  }
}

TEST(redis_sentinel, a_sentinel_that_says_nothing_is_told_within_the_timeout) {
  sentinels redis;
  redis.sentinel(0).kill();
  redis.sentinel(1).pause();
  const auto failure = run_on_loop(failure_of(redis.url() + "&timeout=0.4"));
  EXPECT_NE(failure.find("no connection within 0.400 s: the sentinel at " + host_of(redis.sentinel(0)) +
                         ": Connection refused; the sentinel at " + host_of(redis.sentinel(1)) +
                         ": still waiting for its answer"),
            std::string::npos)
      << failure;
}

TEST(redis_sentinel, a_master_that_no_sentinel_knows_is_told_at_once) {
  sentinels redis;
  auto options = parse_url("redis+sentinel://" + redis.hosts() + "?master=other");
  options.request_timeout.reset();
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await boost::asio::this_coro::executor;
    redis::connection c(loop, options, {});
    strings ping(1, "PING");
    auto t = co_await error_of(c.command(ping));
    for (const std::size_t i : {0, 1, 2}) {
      const auto each =
          "the sentinel at " + host_of(redis.sentinel(i)) + " does not know a master named \"other\"";
      EXPECT_NE(t.what.find(each), std::string::npos) << t.what;
    }
  };
  run_on_loop(body);
}

TEST(redis_sentinel, a_server_that_is_no_sentinel_is_told_at_once) {
  redis_server server;
  const auto where = host_of(server);
  const auto failure = run_on_loop(failure_of("redis+sentinel://" + where));
  EXPECT_NE(failure.find("the sentinel at " + where + ": SENTINEL was refused: ERR unknown command"),
            std::string::npos)
      << failure;
}

TEST(redis_sentinel, signs_in_to_sentinels_and_master_each_with_its_own_password) {
  sentinels redis({.password = "of-master", .sentinel_user = "ann", .sentinel_password = "of-sentinels"});
  run_on_loop(set(redis.url(), "k"));
  EXPECT_TRUE(has(redis.first(), "k"));

  const auto nobody = "redis+sentinel://:of-master@" + redis.hosts() + "?master=jobs";
  auto failure = run_on_loop(failure_of(nobody));
  EXPECT_NE(failure.find("SENTINEL was refused: NOAUTH"), std::string::npos) << failure;
  failure = run_on_loop(failure_of(nobody + "&sentinel_user=ann&sentinel_password=wr0ng"));
  EXPECT_NE(failure.find("AUTH was refused: WRONGPASS"), std::string::npos) << failure;
  EXPECT_EQ(failure.find("wr0ng"), std::string::npos) << failure;

  const auto of_sentinels =
      "@" + redis.hosts() + "?master=jobs&sentinel_user=ann&sentinel_password=of-sentinels";
  failure = run_on_loop(failure_of("redis+sentinel://:wr0ng" + of_sentinels));
  EXPECT_NE(failure.find(host_of(redis.first()) + " (the master, says the sentinel at " +
                         host_of(redis.sentinel(0)) + "): HELLO was refused: WRONGPASS"),
            std::string::npos)
      << failure;
}

TEST(redis_sentinel, speaks_tls_to_sentinels_and_master) {
  sentinels redis({.tls = true});
  run_on_loop(set(redis.url(), "k"));
  EXPECT_TRUE(has(redis.first(), "k"));

  auto untrusted = redis.url();
  untrusted.resize(untrusted.find("&tls_ca="));
  auto failure = run_on_loop(failure_of(untrusted));
  EXPECT_NE(failure.find("TLS: the server's certificate is not trusted"), std::string::npos) << failure;
  run_on_loop(set(untrusted + "&tls_verify=no", "unverified"));
  EXPECT_TRUE(has(redis.first(), "unverified"));

  std::string plain_sentinels;
  for (const std::size_t i : {0, 1, 2}) {
    plain_sentinels += (i ? ",127.0.0.1:" : "127.0.0.1:") + std::to_string(redis.sentinel(i).plain_port());
  }
  run_on_loop(set("rediss+sentinel://" + plain_sentinels +
                      "?master=jobs&sentinel_tls=no&tls_ca=" + redis.first().ca_file(),
                  "master only"));
  EXPECT_TRUE(has(redis.first(), "master only"));
}

// What a sentinel says may be old. Changing its mind by hand, without a failover, closes no connection.
void watch(sentinels& redis, const redis_server& as_master) {
  for (const std::size_t i : {0, 1, 2}) {
    redis.sentinel(i).command(
        {"SENTINEL", "MONITOR", "jobs", "127.0.0.1", std::to_string(as_master.port()), "2"});
  }
}

void forget(sentinels& redis) {
  for (const std::size_t i : {0, 1, 2}) redis.sentinel(i).command({"SENTINEL", "REMOVE", "jobs"});
}

void change_places(sentinels& redis) {
  redis.second().command({"REPLICAOF", "NO", "ONE"});
  redis.first().command({"REPLICAOF", "127.0.0.1", std::to_string(redis.second().port())});
}

TEST(redis_sentinel, a_master_that_has_become_a_replica_is_left_at_the_next_write) {
  sentinels redis;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await boost::asio::this_coro::executor;
    redis::connection c(loop, parse_url(redis.url()), {});
    int reconnected = 0;
    c.on_reconnect([&] { ++reconnected; });
    strings before = {"SET", "before", "here"}, after = {"SET", "after", "here"};
    co_await c.command(before);
    redis.wait_replicated();
    forget(redis);
    change_places(redis);
    watch(redis, redis.second());
    co_await c.command(after);
    EXPECT_GE(reconnected, 1);
  };
  run_on_loop(body);
  EXPECT_TRUE(has(redis.first(), "before"));
  EXPECT_TRUE(has(redis.second(), "after"));
}

TEST(redis_sentinel, a_replica_that_is_called_the_master_is_not_taken_for_one) {
  sentinels redis;
  forget(redis);
  watch(redis, redis.second());
  const auto failure = run_on_loop(failure_of(redis.url() + "&timeout=0.5"));
  EXPECT_NE(failure.find(host_of(redis.second()) + " (the master, says the sentinel at "), std::string::npos)
      << failure;
  EXPECT_NE(failure.find("): it is a replica, not the master"), std::string::npos) << failure;
}

// ---- jobs

constexpr task<int(int)> step{"step"};

enum class loss { killed, demoted };

struct change {
  const char* dialect;
  loss how;
};

class redis_sentinel_failover : public testing::TestWithParam<change> {
 protected:
  redis_sentinel_failover() { base::set_log_level("off"); }

  worker_options options() const {
    worker_options o;
    o.broker = redis_.url(GetParam().dialect);
    o.concurrency = 1;
    return o;
  }

  void change_master() {
    redis_.wait_replicated();
    if (GetParam().how == loss::killed) {
      redis_.first().kill();
    } else {
      redis_.order_failover();
    }
    redis_.wait_failed_over();
  }

  sentinels redis_;
};

TEST_P(redis_sentinel_failover, jobs_go_on_at_the_new_master) {
  latch finish;
  std::vector<int> ran;
  worker w(options());
  w.handle(step, [&](int n) -> awaitable<int> {
    ran.push_back(n);
    if (n == 1) co_await finish.wait();
    co_return 10 * n;
  });
  const auto client = [&]() -> awaitable<void> {
    queue q(options().broker);
    auto running_call = step(1), waiting_call = step(2), late_call = step(3);
    auto running = co_await q.enqueue(std::move(running_call));
    co_await until([&] { return !ran.empty(); });
    auto waiting = co_await q.enqueue(std::move(waiting_call));
    // On a thread of its own, so that worker and client meet each step of it.
    thread_pool threads;
    co_await threads.run([this] { change_master(); });
    auto late = co_await q.enqueue(std::move(late_call));
    finish.open();
    int n = co_await running.result();
    EXPECT_EQ(n, 10);
    n = co_await waiting.result();
    EXPECT_EQ(n, 20);
    n = co_await late.result();
    EXPECT_EQ(n, 30);
  };
  run_on_loop(beside(w, client()));
  EXPECT_EQ(std::count(ran.begin(), ran.end(), 2), 1);
  EXPECT_EQ(std::count(ran.begin(), ran.end(), 3), 1);
  EXPECT_EQ(redis_.second().command({"ROLE"}).items.at(0).text, "master");
  EXPECT_GT(redis_.second().command({"DBSIZE"}).integer, 0);
}

INSTANTIATE_TEST_SUITE_P(at, redis_sentinel_failover,
                         testing::Values(change{"redis", loss::killed}, change{"arq", loss::killed},
                                         change{"redis", loss::demoted}, change{"arq", loss::demoted}),
                         [](const auto& c) {
                           return std::string(c.param.dialect) +
                                  (c.param.how == loss::killed ? "_master_killed" : "_failover_ordered");
                         });

}  // namespace
}  // namespace quarq::test::redis_sentinel_tests
