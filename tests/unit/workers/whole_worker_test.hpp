// A whole worker, with a broker and a clock of the test's own.
#pragma once

#include <boost/asio/this_coro.hpp>

#include "unit/workers/worker_simulation.hpp"

namespace quarq::test {

inline constexpr task<void()> work{"work"};

class whole_worker_test : public worker_simulation {
 protected:
  void send(const strings& ids) {
    for (const auto& id : ids) enqueue(job_of("work", id));
  }
  /// Its jobs end when `end_of_work_` is set, or when they are cancelled.
  void handle_until_released(worker& w) {
    w.handle(
        work,
        [this]() -> awaitable<void> {
          ++started_;
          co_await end_of_work_.wait();
        },
        kept());
  }
  /// Its jobs do not end when they are cancelled.
  void handle_stubbornly(worker& w) {
    w.handle(
        work,
        [this]() -> awaitable<void> {
          ++started_;
          co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
          co_await end_of_work_.wait();
        },
        kept());
  }
  void handle_at_once(worker& w) {
    w.handle(work, [this]() -> awaitable<void> {
      ++started_;
      co_return;
    });
  }
  static handler_options kept() {
    handler_options o;
    o.keep_result = 24h;
    return o;
  }
  std::chrono::milliseconds since(manual_clock::time_point start) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - start);
  }

  event end_of_work_;
  int started_ = 0;
};

}  // namespace quarq::test
