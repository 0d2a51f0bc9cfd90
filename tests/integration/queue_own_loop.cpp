// A queue on a loop of the program's own: when run() returns, and what close() does.
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "integration/worker_test.hpp"
#include "support/redis_fixture.hpp"

namespace quarq::test::queue_own_loop_tests {
namespace {

namespace asio = boost::asio;

constexpr task<int(int)> same{"same", "number"};

class queue_own_loop : public worker_test {
 protected:
  /// Runs the loop until it has nothing to do. Throws what the coroutine throws.
  void run_out(asio::io_context& io, const std::function<awaitable<void>()>& work) {
    std::exception_ptr failure;
    asio::co_spawn(io, work(), [&](std::exception_ptr e) { failure = std::move(e); });
    io.restart();
    io.run_for(default_timeout);
    EXPECT_TRUE(io.stopped()) << "the loop still had something to do";
    if (failure) std::rethrow_exception(failure);
  }
};

TEST_P(queue_own_loop, run_returns_though_the_queue_lives) {
  asio::io_context io;
  queue q(url());
  std::string id;
  const auto send = [&]() -> awaitable<void> {
    auto call = same(1);
    const auto job = co_await q.enqueue(std::move(call));
    id = job.id();
  };
  run_out(io, send);
  const auto ask = [&]() -> awaitable<void> {
    const auto state = co_await q.find<int>(id).state();
    EXPECT_EQ(state, job_state::queued);
  };
  run_out(io, ask);
}

TEST_P(queue_own_loop, run_returns_when_a_result_has_come_and_when_it_is_no_longer_waited_for) {
  asio::io_context io;
  queue q(url());
  const auto wait_in_vain = [&]() -> awaitable<void> {
    auto call = same(1);
    const auto job = co_await q.enqueue(std::move(call));
    const auto late = co_await error_of(job.result(5ms));
    EXPECT_NE(late.as<timed_out>(), nullptr) << late.what;
  };
  run_out(io, wait_in_vain);
  const auto ask = [&]() -> awaitable<void> {
    auto call = same(2);
    const auto job = co_await q.enqueue(std::move(call));
    const int n = co_await job.result(default_timeout);
    EXPECT_EQ(n, 2);
  };
  for (int i = 0; i < 2; ++i) {
    worker w(options());
    w.handle(same, [](int n) -> awaitable<int> { co_return n; });
    run_out(io, [&]() -> awaitable<void> { co_await alongside(w, ask()); });
  }
}

TEST_P(queue_own_loop, a_result_wakes_a_loop_that_had_nothing_to_do_for_a_while) {
  asio::io_context io;
  queue q(url());
  worker w(options());
  w.handle(same, [](int n) -> awaitable<int> { co_return n; });
  const auto ask = [&]() -> awaitable<void> {
    auto call = same(2);
    const auto job = co_await q.enqueue(std::move(call));
    const int n = co_await job.result(default_timeout);
    EXPECT_EQ(n, 2);
    co_await sleep_for(100ms);  // the queue has nothing to do meanwhile
    auto next = same(3);
    const auto again = co_await q.enqueue(std::move(next));
    const int m = co_await again.result(default_timeout);
    EXPECT_EQ(m, 3);
  };
  run_out(io, [&]() -> awaitable<void> { co_await alongside(w, ask()); });
}

TEST_P(queue_own_loop, a_closed_queue_opens_again_on_another_loop) {
  asio::io_context first, second;
  queue q(url());
  const auto send = [&]() -> awaitable<void> {
    auto call = same(1);
    co_await q.enqueue(std::move(call));
  };
  run_out(first, send);
  EXPECT_THROW(run_out(second, send), std::logic_error);
  q.close();
  // sqlite::memory: is gone with its last user, and so are the jobs; a queue that is open then may as well be used.
  run_out(second, send);
  q.close();
  q.close();
}

TEST_P(queue_own_loop, close_lets_the_calls_under_way_end) {
  asio::io_context io;
  queue q(url());
  const auto close_while_waiting = [&]() -> awaitable<void> {
    auto call = same(1);
    const auto job = co_await q.enqueue(std::move(call));
    auto waiting = job.result(default_timeout);
    asio::co_spawn(io, error_of(std::move(waiting)), [](std::exception_ptr, thrown end) {
      EXPECT_NE(end.as<cancelled>(), nullptr) << end.what;
    });
    co_await sleep_for(0ms);
    queue other(q.broker_url());
    co_await other.find<int>(job.id()).state();
    q.close();
    co_await other.find<int>(job.id()).cancel();
  };
  run_out(io, close_while_waiting);
}

AT_EACH_BROKER(queue_own_loop);

/// Enqueues once, and expects that the loop has nothing to do afterwards.
void enqueue_and_run_out(asio::io_context& io, queue q) {
  const auto send = [](queue to) -> awaitable<void> {
    auto call = same(1);
    co_await to.enqueue(std::move(call));
  };
  std::exception_ptr failure;
  asio::co_spawn(io, send(std::move(q)), [&](std::exception_ptr e) { failure = std::move(e); });
  io.restart();
  io.run_for(default_timeout);
  EXPECT_TRUE(io.stopped());
  if (failure) std::rethrow_exception(failure);
}

TEST(queue_own_loop_redis, a_connection_that_the_server_closed_while_it_rested_is_made_again) {
  redis_fixture place(redis_fixture::over::tcp);
  asio::io_context io;
  queue q(place.url());
  enqueue_and_run_out(io, q);
  place.server().command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  enqueue_and_run_out(io, q);
}

/// Of quarq's connections: "id=7 id=8 ".
std::string connections_of(const redis_server& server) {
  std::istringstream lines(server.command({"CLIENT", "LIST"}).text);
  std::string ids;
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" name=quarq ") != line.npos) ids += line.substr(0, line.find(' ') + 1);
  }
  return ids;
}

TEST(queue_own_loop_redis, one_connection_rests_and_goes_on_also_over_tls) {
  for (const bool tls : {false, true}) {
    redis_server_options options;
    options.tls = tls;
    redis_fixture place(redis_fixture::over::tcp, options);
    asio::io_context io;
    queue q(tls ? place.url() + "?tls_ca=" + place.server().ca_file() : place.url());
    enqueue_and_run_out(io, q);
    const auto first = connections_of(place.server());
    EXPECT_NE(first, "");
    for (int i = 0; i < 3; ++i) enqueue_and_run_out(io, q);
    EXPECT_EQ(connections_of(place.server()), first);
  }
}

}  // namespace
}  // namespace quarq::test::queue_own_loop_tests
