// What the tests of workers and queues are written with: a worker and a client on one loop, at every broker.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/quarq.hpp>

#include "base/log.hpp"
#include "support/broker_fixtures.hpp"
#include "support/default_timeout.hpp"
#include "support/on_loop.hpp"

namespace quarq::test {

using namespace std::chrono_literals;
using strings = std::vector<std::string>;

/// What awaiting threw.
struct thrown {
  std::string what = "nothing was thrown";
  std::exception_ptr error;

  template <class E>
  const E* as() const {
    if (!error) return nullptr;
    try {
      std::rethrow_exception(error);
    } catch (const E& e) {
      return &e;
    } catch (...) {
    }
    return nullptr;
  }
};

template <class T>
awaitable<thrown> error_of(awaitable<T> work) {
  thrown t;
  try {
    co_await std::move(work);
  } catch (const std::exception& e) {
    t.what = e.what();
    t.error = std::current_exception();
  }
  co_return t;
}

/// Waits until it is cancelled, and counts that.
inline awaitable<void> until_cancelled(int& stopped) {
  try {
    co_await sleep_for(24h);
  } catch (const boost::system::system_error&) {
    ++stopped;
    throw;
  }
}

/// Runs `client` alongside the worker; stops the worker, at once, when it has ended.
awaitable<void> alongside(worker& w, awaitable<void> client);

class worker_test : public testing::TestWithParam<broker_kind> {
 protected:
  worker_test() { base::set_log_level("off"); }

  using body = std::function<awaitable<void>(queue)>;

  std::string url() const { return place_->url(); }
  broker_powers powers() const { return place_->powers(); }

  worker_options options() const {
    worker_options o;
    o.broker = url();
    o.threads = 2;
    o.cancel_timeout = 300ms;
    return o;
  }

  /// Runs `client` alongside the worker; stops the worker when it has ended.
  void serve(worker& w, const body& client);
  /// Runs `client` alone.
  void without_worker(const body& client) { run_on_loop(client(queue(url()))); }
  /// What the result of a job that this worker runs throws.
  template <class T>
  thrown error_of_job(worker& w, call<T> c) {
    thrown t;
    serve(w, [&](queue q) -> awaitable<void> {
      const auto job = co_await q.enqueue(std::move(c));
      t = co_await error_of(job.result(default_timeout));
    });
    return t;
  }
  /// Runs the worker until it ends by itself.
  void run_to_end(worker& w) { run_on_loop(w.run()); }

 private:
  std::unique_ptr<broker_fixture> place_ = GetParam().make();
};

/// Returns when the job is in this state; throws after a while.
template <class T>
awaitable<void> until_in(job<T> j, job_state wanted) {
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  auto state = co_await j.state();
  while (state != wanted) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("waited in vain for a state");
    co_await sleep_for(1ms);
    state = co_await j.state();
  }
}

/// Lets handlers wait until a test says so.
class latch {
 public:
  void open() { open_ = true; }
  awaitable<void> wait() {
    while (!open_) co_await sleep_for(1ms);
  }

 private:
  bool open_ = false;
};

#define AT_EACH_BROKER(suite)                                            \
  INSTANTIATE_TEST_SUITE_P(at, suite, testing::ValuesIn(broker_kinds()), \
                           [](const auto& kind) { return kind.param.name; })

}  // namespace quarq::test
