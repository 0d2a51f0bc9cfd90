// What workers cost the server beside a paused queue with many ready jobs: their renewals.
#include <string>

#include <boost/asio/this_coro.hpp>

#include "integration/broker_conformance.hpp"
#include "integration/worker_test.hpp"
#include "support/redis_server.hpp"

namespace quarq::test::paused_quiet_tests {

namespace {

constexpr task<void()> nothing{"nothing"};

// Renewals write the worker_info, or when it was heard.
awaitable<void> until_renewed(const redis_server& server, int times) {
  const int before = server.calls_of("hset") + server.calls_of("hmset");
  auto renewed = [&] { return server.calls_of("hset") + server.calls_of("hmset") >= before + times; };
  co_await until(renewed);
}

awaitable<void> fill_and_look(const redis_server& server, std::string url) {
  const auto loop = co_await boost::asio::this_coro::executor;
  queue q(url);
  const auto first = co_await q.enqueue(nothing());
  co_await first.result(default_timeout);  // The worker is there.
  co_await q.pause();
  const strings reset = {"CONFIG", "RESETSTAT"};
  server.command(reset);
  // One by one, as each would wake a worker.
  constexpr int count = 300;
  for (int i = 0; i < count; ++i) co_await q.enqueue(nothing());
  co_await until_renewed(server, 1);
  // Of each, the client may report that it was enqueued.
  EXPECT_LT(server.calls_of("evalsha"), 2 * count + 100) << "the worker was woken, in vain";
  server.command(reset);
  co_await until_renewed(server, 4);
  // A renewal is two calls or so, and polls were ten in a second.
  EXPECT_LE(server.calls_of("evalsha"), 16);
  auto store = broker::open(url, loop);
  auto summary = co_await summary_of(*store, "default");
  EXPECT_EQ(summary.queued, static_cast<std::uint64_t>(count));
  co_await q.resume();
  auto done = [&]() -> awaitable<bool> {
    summary = co_await summary_of(*store, "default");
    co_return summary.queued + summary.running == 0;
  };
  bool all = false;
  while (!all) {
    co_await sleep_for(2ms);
    all = co_await done();
  }
}

}  // namespace

class paused_quiet : public testing::TestWithParam<std::string> {};

TEST_P(paused_quiet, a_worker_beside_a_paused_queue_only_renews_its_lease) {
  redis_server server;
  const auto url = GetParam() + "://127.0.0.1:" + std::to_string(server.port());
  worker_options o;
  o.broker = url;
  worker w(o);
  w.handle(nothing, [] {});
  run_on_loop(alongside(w, fill_and_look(server, url)), 60s);
}

INSTANTIATE_TEST_SUITE_P(layouts, paused_quiet, testing::Values("redis", "arq"),
                         [](const auto& each) { return each.param; });

}  // namespace quarq::test::paused_quiet_tests
