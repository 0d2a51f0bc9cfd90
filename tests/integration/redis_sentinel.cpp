// A master, its replica and three sentinels: clients find the master, also after it has changed.
#include <algorithm>

#include <quarq/quarq.hpp>

#include "integration/worker_test.hpp"
#include "redis/connection.hpp"
#include "redis/url.hpp"
#include "support/on_loop.hpp"
#include "support/sentinels.hpp"

namespace quarq::test::redis_sentinel_tests {
namespace {

using redis::parse_url;

awaitable<std::string> failure_of(redis::connection_options options) {
  auto loop = co_await boost::asio::this_coro::executor;
  redis::connection c(loop, options);
  strings ping(1, "PING");
  auto t = co_await error_of(c.command(ping));
  co_return t.what;
}

std::string failure_at(const std::string& url) {
  return run_on_loop(failure_of(parse_url(url)));
}

awaitable<void> set_at(std::string url, std::string key) {
  auto loop = co_await boost::asio::this_coro::executor;
  redis::connection c(loop, parse_url(url));
  strings args = {"SET", std::move(key), "here"};
  co_await c.command(args);
}

void set(const std::string& url, const std::string& key) {
  run_on_loop(set_at(url, key));
}

bool has(const redis_server& server, const std::string& key) {
  return server.command({"GET", key}).text == "here";
}

TEST(redis_sentinel, a_command_reaches_the_master) {
  sentinels redis;
  set(redis.url(), "k");
  EXPECT_TRUE(has(redis.first(), "k"));
}

TEST(redis_sentinel, sentinels_that_are_down_are_skipped) {
  sentinels redis;
  redis.sentinel(0).kill();
  set(redis.url(), "one");
  EXPECT_TRUE(has(redis.first(), "one"));
  redis.sentinel(1).pause();  // accepts connections, but does not answer
  set(redis.url(), "two");
  EXPECT_TRUE(has(redis.first(), "two"));
}

TEST(redis_sentinel, all_sentinels_down_are_reported_within_the_timeout) {
  sentinels redis;
  redis.each_sentinel([](redis_server& one) { one.kill(); });
  const auto failure = failure_at(redis.url() + "&timeout=0.5");
  const auto begin = "redis+sentinel://" + redis.hosts() + "?master=jobs: no connection within 0.500 s: ";
  EXPECT_EQ(failure.substr(0, begin.size()), begin);
  redis.each_sentinel([&](const redis_server& one) {
    const auto error = "the sentinel at " + one.endpoint() + ": Connection refused";
    EXPECT_NE(failure.find(error), std::string::npos) << failure;
  });
}

TEST(redis_sentinel, a_silent_sentinel_is_reported_within_the_timeout) {
  sentinels redis;
  redis.sentinel(0).kill();
  redis.sentinel(1).pause();
  const auto failure = failure_at(redis.url() + "&timeout=0.4");
  EXPECT_NE(failure.find("no connection within 0.400 s: the sentinel at " + redis.sentinel(0).endpoint() +
                         ": Connection refused; the sentinel at " + redis.sentinel(1).endpoint() +
                         ": still waiting for its answer"),
            std::string::npos)
      << failure;
}

TEST(redis_sentinel, a_master_that_no_sentinel_knows_is_reported_at_once) {
  sentinels redis;
  auto options = parse_url("redis+sentinel://" + redis.hosts() + "?master=other");
  options.request_timeout.reset();
  const auto failure = run_on_loop(failure_of(options));
  redis.each_sentinel([&](const redis_server& one) {
    const auto error = "the sentinel at " + one.endpoint() + " does not know a master named \"other\"";
    EXPECT_NE(failure.find(error), std::string::npos) << failure;
  });
}

TEST(redis_sentinel, a_server_that_is_no_sentinel_is_reported_at_once) {
  redis_server server;
  const auto where = server.endpoint();
  const auto failure = failure_at("redis+sentinel://" + where);
  EXPECT_NE(failure.find("the sentinel at " + where + ": SENTINEL was refused: ERR unknown command"),
            std::string::npos)
      << failure;
}

TEST(redis_sentinel, authenticates_at_sentinels_and_master_each_with_its_own_password) {
  sentinels redis(
      {.password = "hunter2-of-master", .sentinel_user = "ann", .sentinel_password = "hunter2-of-sentinels"});
  set(redis.url(), "k");
  EXPECT_TRUE(has(redis.first(), "k"));

  const auto nobody = "redis+sentinel://:hunter2-of-master@" + redis.hosts() + "?master=jobs";
  auto failure = failure_at(nobody);
  EXPECT_NE(failure.find("SENTINEL was refused: NOAUTH: it wants a password of its own"), std::string::npos)
      << failure;
  failure = failure_at(nobody + "&sentinel_user=ann&sentinel_password=another-hunter2");
  EXPECT_NE(failure.find("AUTH was refused: WRONGPASS"), std::string::npos) << failure;
  EXPECT_EQ(failure.find("another-hunter2"), std::string::npos) << failure;

  const auto of_sentinels =
      "@" + redis.hosts() + "?master=jobs&sentinel_user=ann&sentinel_password=hunter2-of-sentinels";
  failure = failure_at("redis+sentinel://:another-hunter2" + of_sentinels);
  EXPECT_NE(failure.find(redis.first().endpoint() + " (the master, says the sentinel at " +
                         redis.sentinel(0).endpoint() + "): HELLO was refused: WRONGPASS"),
            std::string::npos)
      << failure;
}

TEST(redis_sentinel, uses_tls_with_sentinels_and_master) {
  sentinels redis({.tls = true});
  set(redis.url(), "k");
  EXPECT_TRUE(has(redis.first(), "k"));

  auto untrusted = redis.url();
  untrusted.resize(untrusted.find("&tls_ca="));
  auto failure = failure_at(untrusted);
  EXPECT_NE(failure.find("TLS: the server's certificate is not trusted"), std::string::npos) << failure;
  set(untrusted + "&tls_verify=no", "unverified");
  EXPECT_TRUE(has(redis.first(), "unverified"));

  std::string plain_sentinels;
  redis.each_sentinel([&](const redis_server& one) {
    plain_sentinels +=
        (plain_sentinels.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(one.plain_port());
  });
  set("rediss+sentinel://" + plain_sentinels +
          "?master=jobs&sentinel_tls=no&tls_ca=" + redis.first().ca_file(),
      "master only");
  EXPECT_TRUE(has(redis.first(), "master only"));
}

// What a sentinel says may be out of date. Reconfiguring it by hand, unlike a failover, closes no connection.
void monitor(sentinels& redis, const redis_server& as_master) {
  redis.each_sentinel([&](const redis_server& one) {
    one.command({"SENTINEL", "MONITOR", "jobs", "127.0.0.1", std::to_string(as_master.port()), "2"});
  });
}

void forget(sentinels& redis) {
  redis.each_sentinel([](const redis_server& one) { one.command({"SENTINEL", "REMOVE", "jobs"}); });
}

void swap_roles(sentinels& redis) {
  redis.second().command({"REPLICAOF", "NO", "ONE"});
  redis.first().command({"REPLICAOF", "127.0.0.1", std::to_string(redis.second().port())});
}

TEST(redis_sentinel, a_master_that_becomes_a_replica_is_left_at_the_next_write) {
  sentinels redis;
  const auto body = [&]() -> awaitable<void> {
    auto loop = co_await boost::asio::this_coro::executor;
    redis::connection c(loop, parse_url(redis.url()));
    int reconnected = 0;
    c.on_reconnect([&] { ++reconnected; });
    strings before = {"SET", "before", "here"}, after = {"SET", "after", "here"};
    co_await c.command(before);
    redis.wait_replicated();
    forget(redis);
    swap_roles(redis);
    monitor(redis, redis.second());
    co_await c.command(after);
    EXPECT_GE(reconnected, 1);
  };
  run_on_loop(body);
  EXPECT_TRUE(has(redis.first(), "before"));
  EXPECT_TRUE(has(redis.second(), "after"));
}

TEST(redis_sentinel, a_replica_that_a_sentinel_calls_the_master_is_not_used) {
  sentinels redis;
  forget(redis);
  monitor(redis, redis.second());
  const auto failure = failure_at(redis.url() + "&timeout=0.5");
  EXPECT_NE(failure.find(redis.second().endpoint() + " (the master, says the sentinel at "),
            std::string::npos)
      << failure;
  EXPECT_NE(failure.find("): it is a replica, not the master"), std::string::npos) << failure;
}

// ---- jobs survive a change of the master

constexpr task<int(int)> step{"step"};

enum class master_loss { killed, demoted };

struct change {
  const char* dialect;
  master_loss how;
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
    if (GetParam().how == master_loss::killed) {
      redis_.first().kill();
    } else {
      redis_.order_failover();
    }
    redis_.wait_failed_over();
  }

  sentinels redis_;
};

TEST_P(redis_sentinel_failover, jobs_continue_at_the_new_master) {
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
    // On a thread of its own, so that worker and client run through each step of it.
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
  run_on_loop(alongside(w, client()));
  EXPECT_EQ(std::count(ran.begin(), ran.end(), 2), 1);
  EXPECT_EQ(std::count(ran.begin(), ran.end(), 3), 1);
  EXPECT_EQ(redis_.second().command({"ROLE"}).items.at(0).text, "master");
  EXPECT_GT(redis_.second().command({"DBSIZE"}).integer, 0);
}

INSTANTIATE_TEST_SUITE_P(
    at, redis_sentinel_failover,
    testing::Values(change{"redis", master_loss::killed}, change{"arq", master_loss::killed},
                    change{"redis", master_loss::demoted}, change{"arq", master_loss::demoted}),
    [](const auto& c) {
      return std::string(c.param.dialect) +
             (c.param.how == master_loss::killed ? "_master_killed" : "_failover_ordered");
    });

}  // namespace
}  // namespace quarq::test::redis_sentinel_tests
