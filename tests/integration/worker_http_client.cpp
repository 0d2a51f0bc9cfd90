// What the handlers of a worker fetch with the client that it has made for them.
#include <atomic>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <quarq/http/client.hpp>
#include <quarq/quarq.hpp>

#include "base/log.hpp"
#include "integration/worker_test.hpp"
#include "support/http_peer.hpp"

namespace quarq::test::worker_http_client_tests {
namespace {

constexpr task<std::string(std::string url)> fetch{"fetch", "url"};

awaitable<std::string> do_fetch(context& ctx, std::string url) {
  auto page = co_await ctx.state<http::client>().get(url);
  co_return std::move(page.body);
}

// Answers each request when it may.
awaitable<void> answer_when(http::stream& io, std::atomic<int>& requests, std::atomic<bool>& may) {
  while (true) {
    const auto request = co_await read_request(io);
    if (request.empty()) co_return;
    ++requests;
    while (!may) co_await sleep_for(1ms);
    const auto answer = http_answer("a page");
    co_await io.write(answer);
  }
}

// Never answers; returns when the client has closed.
awaitable<void> be_silent(http::stream& io, std::atomic<int>& requests) {
  co_await read_request(io);
  ++requests;
  co_await read_request(io);
}

class worker_http_client : public ::testing::Test {
 protected:
  worker_http_client() { base::set_log_level("off"); }

  worker& made() {
    work = std::make_unique<worker>(worker_options{.broker = "sqlite::memory:"});
    web = &work->emplace<http::client>();
    work->handle(fetch, do_fetch);
    return *work;
  }

  http_peer::conversation answering() {
    return [this](http::stream& io, int) { return answer_when(io, requests, may_answer); };
  }
  http_peer::conversation silent() {
    return [this](http::stream& io, int) { return be_silent(io, requests); };
  }

  queue jobs{"sqlite::memory:"};
  std::unique_ptr<worker> work;
  http::client* web = nullptr;
  std::atomic<int> requests{0};
  std::atomic<bool> may_answer{true};
};

TEST_F(worker_http_client, is_shared_by_the_jobs_and_keeps_its_connection) {
  const http_peer peer(answering());
  auto& w = made();
  const auto client = [&]() -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      const auto job = co_await jobs.enqueue(fetch(peer.url()));
      const auto page = co_await job.result(default_timeout);
      EXPECT_EQ(page, "a page");
    }
  };
  run_on_loop(alongside(w, client()));
  EXPECT_EQ(requests, 3);
  EXPECT_EQ(peer.accepted(), 1);
}

TEST_F(worker_http_client, closes_the_connection_of_a_cancelled_job) {
  const http_peer peer(silent());
  auto& w = made();
  const auto client = [&]() -> awaitable<void> {
    const auto job = co_await jobs.enqueue(fetch(peer.url()));
    co_await until([&] { return requests == 1; });
    co_await job.cancel();
    const auto e = co_await error_of(job.result(default_timeout));
    EXPECT_NE(e.as<cancelled>(), nullptr) << e.what;
    co_await until([&] { return peer.closed() == 1; });
    EXPECT_EQ(web->connections().in_use, 0u);
    EXPECT_EQ(web->connections().idle, 0u);
  };
  run_on_loop(alongside(w, client()));
}

TEST_F(worker_http_client, closes_the_connection_of_a_job_that_took_too_long) {
  const http_peer peer(silent());
  auto& w = made();
  const auto client = [&]() -> awaitable<void> {
    const auto job = co_await jobs.enqueue(fetch(peer.url()).timeout(50ms).attempts(1));
    const auto e = co_await error_of(job.result(default_timeout));
    EXPECT_NE(e.as<timed_out>(), nullptr) << e.what;
    co_await until([&] { return peer.closed() == peer.accepted(); });
    EXPECT_EQ(web->connections().in_use, 0u);
  };
  run_on_loop(alongside(w, client()));
}

// Its connections are closed when it is gone, although the loop goes on.
TEST_F(worker_http_client, lets_requests_end_when_the_worker_stops) {
  may_answer = false;
  const http_peer peer(answering());
  made();
  const auto client = [&]() -> awaitable<void> {
    const auto job = co_await jobs.enqueue(fetch(peer.url()));
    co_await until([&] { return requests == 1; });
    work->stop();
    may_answer = true;
    const auto page = co_await job.result(default_timeout);
    EXPECT_EQ(page, "a page");
  };
  const auto all = [&]() -> awaitable<void> {
    co_await gather(work->run(), client());
    EXPECT_EQ(web->connections().idle, 1u);
    work.reset();
    co_await until([&] { return peer.closed() == 1; });
  };
  run_on_loop(all());
  EXPECT_EQ(peer.accepted(), 1);
}

}  // namespace
}  // namespace quarq::test::worker_http_client_tests
