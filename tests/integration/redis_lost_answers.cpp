// Calls of clients and operators whose answers get lost after the server has done what they ask for: they are sent
// again, do nothing a second time, and answer as at the first time.
#include <algorithm>
#include <memory>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "broker/arq/keys.hpp"
#include "broker/arq/scripts.hpp"
#include "integration/broker_conformance.hpp"
#include "redis/url.hpp"
#include "soak/tcp_proxy.hpp"
#include "support/redis_server.hpp"

namespace quarq::test::redis_lost_answers_tests {

namespace {

constexpr std::size_t more_than_one_call_takes = 1'300;

/// A server, a broker that reaches it through a proxy, and one that reaches it directly.
struct place {
  place(std::string of, any_io_executor on)
      : scheme(std::move(of)),
        loop(std::move(on)),
        proxy(server.port()),
        store(broker::open(url(proxy.port()), loop)),
        elsewhere(broker::open(url(server.port()), loop)) {}

  std::string url(int port) const { return scheme + "://127.0.0.1:" + std::to_string(port); }

  const std::string scheme;
  redis_server server;
  any_io_executor loop;
  soak::tcp_proxy proxy;
  std::shared_ptr<broker::broker> store, elsewhere;
};

/// Whether a state has so many jobs, as seen from elsewhere.
struct sight {
  std::uint64_t broker::queue_summary::* of;
  std::uint64_t count;
};

// A script that the server does not know would be answered with a request for its text.
awaitable<void> load_scripts(broker::broker& store) {
  const strings nobody(1, "nobody");
  co_await cancel(store, "other", nobody.front(), "why", 0ms);
  co_await store.requeue("other", nobody);
  co_await store.purge("other", job_state::deferred);
}

/// What the call answers, if the connection is lost with its first answer after `seen` has come to be.
template <class T>
awaitable<T> with_lost_answer(place& at, awaitable<T> call, sight seen) {
  co_await load_scripts(*at.elsewhere);
  co_await at.store->queues();  // it is connected
  at.proxy.lose_answers();
  auto answer = std::make_shared<std::optional<T>>();
  auto running = std::make_shared<int>(0);
  const auto keep = [](awaitable<T> from, std::shared_ptr<std::optional<T>> into) -> awaitable<void> {
    *into = co_await std::move(from);
  };
  start(at.loop, keep(std::move(call), answer), running);
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  bool is_done = false;
  while (!is_done && std::chrono::steady_clock::now() < deadline) {
    const auto there = co_await summary_of(*at.elsewhere, "q");
    is_done = there.*seen.of == seen.count;
    co_await sleep_for(1ms);
  }
  EXPECT_TRUE(is_done);
  EXPECT_FALSE(*answer);
  at.proxy.cut();
  auto over = [&] { return *running == 0; };
  co_await until(over);
  co_return answer->value();
}

awaitable<void> make_dead(place& at, std::size_t count) {
  auto worker = co_await new_worker(at.elsewhere, "q");
  auto jobs = numbered_jobs(count);
  co_await at.elsewhere->enqueue("q", jobs);
  co_await claim_until(worker, count);
  std::vector<settlement> ends;
  for (const auto& job : jobs) ends.push_back(end(job.id, job_state::dead, "why"));
  co_await at.elsewhere->settle(worker.held, ends);
}

}  // namespace

class redis_lost_answers : public testing::TestWithParam<std::string> {
 protected:
  void run(awaitable<void> (*test)(place&)) {
    const auto body = [](std::string scheme, awaitable<void> (*f)(place&)) -> awaitable<void> {
      const auto loop = co_await boost::asio::this_coro::executor;
      place at(scheme, loop);
      co_await f(at);
    };
    run_on_loop(body(GetParam(), test));
  }
};

#define LOST_ANSWER_TEST(name)            \
  static awaitable<void> name(place& at); \
  TEST_P(redis_lost_answers, name) {      \
    run(name);                            \
  }                                       \
  static awaitable<void> name(place& at)

LOST_ANSWER_TEST(a_cancelled_job_is_said_to_be_cancelled) {
  co_await enqueue_ids(*at.elsewhere, "q", strings(1, "job"));
  if (at.scheme == "arq") {
    // This broker reads the job before, and would wait for that answer.
    redis::connection connection(at.loop, redis::parse_url(at.server.url()));
    const strings keys(1, broker::arq::own_prefix("q"));
    strings question = {"0123456789ABCDEFGHJKMNPQRS", "1", "", "job", "3600000 its result"};
    for (int i = 0; i < 2; ++i) {
      const auto answer = co_await connection.run(broker::arq::scripts().cancel, keys, question);
      EXPECT_EQ(answer.text, "cancelled");
    }
    question[1] = "2";
    const auto another = co_await connection.run(broker::arq::scripts().cancel, keys, question);
    EXPECT_EQ(another.text, "ended");
    co_return;
  }
  auto call = cancel(*at.store, "q", "job", "why", 1h);
  const sight gone{&broker::queue_summary::queued, 0};
  const auto answer = co_await with_lost_answer(at, std::move(call), gone);
  EXPECT_EQ(answer, cancel_result::cancelled);
}

LOST_ANSWER_TEST(all_that_were_requeued_are_counted) {
  co_await make_dead(at, more_than_one_call_takes);
  auto call = at.store->requeue("q", {});
  const sight some{&broker::queue_summary::queued, 1'000};
  const auto count = co_await with_lost_answer(at, std::move(call), some);
  EXPECT_EQ(count, more_than_one_call_takes);
  const auto after = co_await summary_of(*at.elsewhere, "q");
  EXPECT_EQ(after.queued, more_than_one_call_takes);
  EXPECT_EQ(after.dead, 0u);
}

LOST_ANSWER_TEST(those_that_were_requeued_by_name_are_counted) {
  co_await make_dead(at, 3);
  const auto jobs = numbered_jobs(2);
  strings ids;
  for (const auto& job : jobs) ids.push_back(job.id);
  auto call = at.store->requeue("q", ids);
  const sight both{&broker::queue_summary::queued, 2};
  const auto count = co_await with_lost_answer(at, std::move(call), both);
  EXPECT_EQ(count, 2u);
}

LOST_ANSWER_TEST(queued_jobs_that_were_purged_are_counted) {
  co_await at.elsewhere->enqueue("q", numbered_jobs(more_than_one_call_takes));
  auto call = at.store->purge("q", job_state::queued);
  const sight rest{&broker::queue_summary::queued, more_than_one_call_takes - 1'000};
  const auto count = co_await with_lost_answer(at, std::move(call), rest);
  EXPECT_EQ(count, more_than_one_call_takes);
}

LOST_ANSWER_TEST(deferred_jobs_that_were_purged_are_counted) {
  auto jobs = numbered_jobs(more_than_one_call_takes);
  for (auto& job : jobs) job.delay = 1h;
  co_await at.elsewhere->enqueue("q", jobs);
  auto call = at.store->purge("q", job_state::deferred);
  const sight rest{&broker::queue_summary::deferred, more_than_one_call_takes - 1'000};
  const auto count = co_await with_lost_answer(at, std::move(call), rest);
  EXPECT_EQ(count, more_than_one_call_takes);
}

LOST_ANSWER_TEST(dead_jobs_that_were_purged_are_counted) {
  co_await make_dead(at, more_than_one_call_takes);
  auto call = at.store->purge("q", job_state::dead);
  const sight rest{&broker::queue_summary::dead, more_than_one_call_takes - 1'000};
  const auto count = co_await with_lost_answer(at, std::move(call), rest);
  EXPECT_EQ(count, more_than_one_call_takes);
}

INSTANTIATE_TEST_SUITE_P(layouts, redis_lost_answers, testing::Values("redis", "arq"),
                         [](const auto& each) { return each.param; });

}  // namespace quarq::test::redis_lost_answers_tests
