// Workers at Redis that are given jobs without having asked (docs/redis_layout.md).
#include <algorithm>
#include <ostream>

#include <quarq/quarq.hpp>

#include "base/log.hpp"
#include "integration/worker_test.hpp"
#include "support/on_loop.hpp"
#include "support/redis_server.hpp"

namespace quarq::test::redis_worker_tests {
namespace {

constexpr task<int(int)> step{"step"};
constexpr task<void(std::string)> echo{"echo", "text"};
constexpr task<std::string(int)> filled{"filled", "bytes"};

class redis_worker : public testing::Test {
 protected:
  redis_worker() { base::set_log_level("off"); }

  worker_options options(strings queues = strings(1, "q")) const {
    worker_options o;
    o.broker = server_.url();
    o.queues.clear();
    for (auto& name : queues) o.queues.push_back({std::move(name), 1});
    return o;
  }
  queue open(std::string name = "q") const { return queue(server_.url(), std::move(name)); }

  redis_server server_{redis_server_options{}};
};

awaitable<int> result_of(queue q, int n) {
  auto call = step(n);
  auto job = co_await q.enqueue(std::move(call));
  const int result = co_await job.result();
  co_return result;
}

TEST_F(redis_worker, a_job_at_a_time_runs_once_each_and_is_mostly_given) {
  int ran = 0;
  worker w(options());
  w.handle(step, [&](int n) -> awaitable<int> {
    ++ran;
    co_return 2 * n;
  });
  const auto client = [&]() -> awaitable<void> {
    auto q = open();
    for (int i = 0; i < 200; ++i) {
      const int twice = co_await result_of(q, i);
      EXPECT_EQ(twice, 2 * i);
    }
  };
  run_on_loop(alongside(w, client()), default_timeout);
  EXPECT_EQ(ran, 200);
  // Claims are seldom needed: the worker stays idle in the store's eyes.
  EXPECT_LT(server_.calls_of("lpop"), 20);
}

TEST_F(redis_worker, two_queues_that_share_slots_never_get_more_than_there_are) {
  constexpr int each = 60;
  int now = 0, max = 0, ran = 0;
  auto o = options({"a", "b"});
  o.concurrency = 2;
  worker w(o);
  w.handle(step, [&](int n) -> awaitable<int> {
    max = std::max(max, ++now);
    co_await sleep_for(1ms);
    --now;
    ++ran;
    co_return n;
  });
  const auto send = [&](queue q) -> awaitable<void> {
    for (int i = 0; i < each; ++i) {
      auto call = step(i);
      co_await q.enqueue(std::move(call));
    }
  };
  const auto client = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> both;
    both.push_back(send(open("a")));
    both.push_back(send(open("b")));
    co_await gather(std::move(both));
    co_await until([&] { return ran == 2 * each; });
  };
  run_on_loop(alongside(w, client()), default_timeout);
  EXPECT_EQ(ran, 2 * each);
  EXPECT_LE(max, 2);
}

TEST_F(redis_worker, what_is_given_to_a_stopping_worker_runs_elsewhere) {
  latch finish;
  int with_first = 0;
  worker first(options()), second(options());
  first.handle(step, [&](int n) -> awaitable<int> {
    ++with_first;
    co_await finish.wait();
    co_return n;
  });
  second.handle(step, [](int n) -> awaitable<int> { co_return n; });
  const auto client = [&]() -> awaitable<void> {
    auto q = open();
    auto call = step(1);
    auto long_one = co_await q.enqueue(std::move(call));
    co_await until([&] { return with_first == 1; });
    first.stop();
    auto next_call = step(2);
    auto next = co_await q.enqueue(std::move(next_call));
    const auto result_elsewhere = [&]() -> awaitable<void> {
      const int result = co_await next.result();
      EXPECT_EQ(result, 2);
    };
    co_await alongside(second, result_elsewhere());
    EXPECT_EQ(with_first, 1);
    finish.open();
    const int result = co_await long_one.result();
    EXPECT_EQ(result, 1);
  };
  run_on_loop(alongside(first, client()), default_timeout);
}

TEST_F(redis_worker, every_job_ends_though_connections_break_while_jobs_are_given) {
  worker w(options());
  w.handle(step, [](int n) -> awaitable<int> { co_return n + 1; });
  const auto client = [&]() -> awaitable<void> {
    auto q = open();
    for (int i = 0; i < 100; ++i) {
      auto call = step(i);
      auto job = co_await q.enqueue(std::move(call));
      if (i % 10 == 5) server_.command({"CLIENT", "KILL", "TYPE", i % 20 == 5 ? "pubsub" : "normal"});
      const int result = co_await job.result();
      EXPECT_EQ(result, i + 1);
    }
  };
  run_on_loop(alongside(w, client()), 3 * default_timeout);
}

// Nobody listens on port 1.
TEST(redis_queue, a_client_waits_for_a_connection_as_long_as_the_url_says) {
  base::set_log_level("off");
  for (const std::string scheme : {"redis", "arq"}) {
    const auto enqueue = [&]() -> awaitable<thrown> {
      queue q(scheme + "://127.0.0.1:1?timeout=0.05");
      auto call = step(1);
      auto error = co_await error_of(q.enqueue(std::move(call)));
      co_return error;
    };
    const auto error = run_on_loop(enqueue(), default_timeout);
    EXPECT_TRUE(error.as<broker_error>());
    EXPECT_NE(error.what.find("no connection within 0.050 s"), std::string::npos) << error.what;
  }
}

// A server closes the connection over which it is sent a longer string than it takes.
struct size_limit {
  std::string scheme, option;
};
void PrintTo(const size_limit& limit, std::ostream* out) {
  *out << limit.scheme << " with " << limit.option;
}

class redis_worker_sizes : public testing::TestWithParam<size_limit> {};

TEST_P(redis_worker_sizes, a_result_that_the_server_does_not_take_fails_its_job_and_no_other) {
  base::set_log_level("off");
  redis_server_options small;
  small.extra = {"--" + GetParam().option, "1mb"};
  const redis_server server(small);
  const std::string url = GetParam().scheme + "://127.0.0.1:" + std::to_string(server.port());
  worker_options o;
  o.broker = url;
  worker w(o);
  w.handle(filled, [](int bytes) -> awaitable<std::string> { co_return std::string(bytes, 'x'); });
  const auto client = [&]() -> awaitable<void> {
    const queue q(url);
    const auto near = co_await q.enqueue(filled(1'000'000));
    const auto beyond = co_await q.enqueue(filled(2'000'000));
    for (int i = 0; i < 20; ++i) {
      const auto other = co_await q.enqueue(filled(i));
      const auto text = co_await other.result(default_timeout);
      EXPECT_EQ(text.size(), static_cast<std::size_t>(i));
    }
    const auto text = co_await near.result(default_timeout);
    EXPECT_EQ(text.size(), 1'000'000u);
    const auto failed = co_await error_of(beyond.result(default_timeout));
    EXPECT_NE(failed.what.find("the store refused the end of the job"), std::string::npos) << failed.what;
    const auto large = std::string(2'000'000, 'x');
    const auto refused = co_await error_of(q.enqueue(echo(large)));
    EXPECT_NE(refused.as<broker_error>(), nullptr) << refused.what;
  };
  run_on_loop(alongside(w, client()), 2 * default_timeout);
}

// The first limit is answered with an error before the connection is closed, the second is not.
INSTANTIATE_TEST_SUITE_P(layouts, redis_worker_sizes,
                         testing::Values(size_limit{"redis", "proto-max-bulk-len"},
                                         size_limit{"redis", "client-query-buffer-limit"},
                                         size_limit{"arq", "proto-max-bulk-len"},
                                         size_limit{"arq", "client-query-buffer-limit"}),
                         [](const auto& each) {
                           auto option = each.param.option;
                           std::replace(option.begin(), option.end(), '-', '_');
                           return each.param.scheme + "_" + option;
                         });

}  // namespace
}  // namespace quarq::test::redis_worker_tests
