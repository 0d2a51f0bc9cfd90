// For your own tests: jobs on a clock that the test moves, one call run here and now, and what was enqueued.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/call.hpp>
#include <quarq/codec.hpp>
#include <quarq/detail/call_data.hpp>
#include <quarq/queue.hpp>
#include <quarq/task.hpp>
#include <quarq/worker.hpp>

namespace quarq {

namespace broker::sqlite {
class settable_clock;
}

namespace detail {
awaitable<std::string> run_now(worker& by, call_data call);
awaitable<std::vector<std::string>> waiting_arguments(queue where, std::string task);
}  // namespace detail

namespace testing {

/// The time of all jobs at sqlite::memory: while it lives. It stands still until the test moves it; then what has
/// become due is due at once: delays, pauses before retries, runs of cron jobs, expiries, the retention of results.
///
///     quarq::testing::clock clock;
///     auto job = co_await queue.enqueue(remind("Ann").delay(24h));
///     clock.advance(24h);
///     co_await job.result();
///
/// What runs goes by real time: the timeouts of handlers, sleep_for, with_timeout. Leases do not run out.
///
/// One at a time, made before the first use of sqlite::memory: in the process, or after the last one's end: it
/// throws std::logic_error otherwise. A store that is still open when it is destroyed keeps the time.
/// Thread-safe.
class clock {
 public:
  using time_point = std::chrono::sys_time<std::chrono::milliseconds>;

  /// By default it begins at the machine's time.
  explicit clock(
      time_point start = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()));
  ~clock();
  clock(const clock&) = delete;
  clock& operator=(const clock&) = delete;

  time_point now() const noexcept;
  void advance(std::chrono::milliseconds by);
  /// The past is allowed, as on a machine whose clock is set back.
  void set(time_point to);

 private:
  std::shared_ptr<broker::sqlite::settable_clock> time_;
};

/// Runs the call by the handlers of this worker, here and now, all its attempts included, and returns its result or
/// throws what job::result() would. What a worker does happens: arguments are encoded and decoded, hooks and
/// retry policies count, the handler has its context and runs on its level. The job lives in a store of its own,
/// whose clock is moved over its delay and over the pauses between attempts.
///
/// REQUIRES: the worker lives meanwhile. It need not run, and its on_startup and on_shutdown hooks are called.
template <class R>
awaitable<R> run_now(worker& by, call<R> c) {
  std::string what = "result of " + c.task();
  auto encoded = co_await detail::run_now(by, detail::call_access::take(std::move(c)));
  if constexpr (!std::is_void_v<R>) co_return from_msgpack<R>(encoded, what);
}

/// The arguments of all calls of this task that wait in the queue, deferred ones included, in the order in which they
/// were enqueued. At every broker. Throws decode_error for arguments that are not what the task takes.
template <class R, class... Args>
awaitable<std::vector<typename task<R(Args...)>::arguments_type>> enqueued(queue where,
                                                                           task<R(Args...)> what) {
  const auto encoded = co_await detail::waiting_arguments(std::move(where), std::string(what.name()));
  std::vector<typename task<R(Args...)>::arguments_type> all;
  for (const auto& one : encoded) all.push_back(what.decode(one));
  co_return all;
}

}  // namespace testing
}  // namespace quarq
