// What the tests of thread_pool share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/run.hpp>
#include <quarq/thread_pool.hpp>
#include <quarq/time.hpp>

#include "support/default_timeout.hpp"

namespace quarq::test {

inline thread_pool_options sized(std::size_t size, shutdown end = shutdown::drain) {
  thread_pool_options options;
  options.size = size;
  options.shutdown = end;
  return options;
}

inline thread_pool_options bounded(std::size_t size, std::size_t max_queued, shutdown end = shutdown::drain) {
  auto options = sized(size, end);
  options.max_queued = max_queued;
  return options;
}

inline bool is_aborted(const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code() == boost::asio::error::operation_aborted;
  } catch (...) {
  }
  return false;
}

inline int add(int a, int b) {
  return a + b;
}

inline awaitable<std::string> slow_text(int n) {
  co_await sleep_for(std::chrono::milliseconds(1));
  co_return std::to_string(n);
}

inline int nested_run(const thread_pool& threads, int depth) {
  if (depth == 0) return 1;
  return 1 + run(threads.run(nested_run, std::cref(threads), depth - 1));
}

/// Counts the copies that are alive.
struct counted {
  explicit counted(std::atomic<int>& c) : count(&c) { ++*count; }
  counted(const counted& other) : count(other.count) { ++*count; }
  counted(counted&& other) noexcept : count(std::exchange(other.count, nullptr)) {}
  ~counted() {
    if (count) --*count;
  }
  std::atomic<int>* count;
};

struct ending {
  std::exception_ptr failure;
  bool ended = false;
};

/// Starts `work` on a loop of its own, cancels it when `now` returns, and returns how it ended.
inline ending cancelled_after(awaitable<void> work, const std::function<void()>& now) {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal cancel;
  ending result;
  const auto end = [&](std::exception_ptr e) {
    result.failure = e;
    result.ended = true;
  };
  boost::asio::co_spawn(loop, std::move(work), boost::asio::bind_cancellation_slot(cancel.slot(), end));
  loop.poll();
  now();
  cancel.emit(boost::asio::cancellation_type::terminal);
  loop.restart();
  loop.run_for(default_timeout);
  return result;
}

}  // namespace quarq::test
