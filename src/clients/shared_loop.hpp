// A loop that is run by the threads that wait for it: the one that waits longest runs it for all, and a thread of the
// loop's own does only when none waits. So a call needs no other thread to wake up, and yet the connections
// on the loop are looked after between calls.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <quarq/awaitable.hpp>

#include "base/owner_process.hpp"

namespace quarq::clients {

/// Thread safety: all members may be called at the same time, except for the destructor.
class shared_loop {
 public:
  shared_loop();
  /// Closes. REQUIRES: no call is under way.
  ~shared_loop();
  shared_loop(const shared_loop&) = delete;
  shared_loop& operator=(const shared_loop&) = delete;

  /// Runs the coroutine on the loop, blocks until it has ended, and rethrows what it throws. Throws closed_error
  /// after close(), std::logic_error from within quarq::run.
  void run(awaitable<void> work);

  /// Cancels the coroutines that run, waits for their ends, and destroys the loop.
  void close();

  /// False in a copy of the process that fork() made, in which nothing may be called, nor this be destroyed.
  bool has_thread_here() const noexcept { return owner_.is_this_one(); }

 private:
  using clock = std::chrono::steady_clock;
  // After a call, so long will the next one find the loop free to be run.
  static constexpr std::chrono::milliseconds warm{50};

  struct waiting_call {
    boost::asio::cancellation_signal cancel;
    std::condition_variable wake;  // it has ended, or nobody runs the loop
    std::exception_ptr failure;
    bool cancelled = false, ended = false;
  };
  using lock = std::unique_lock<std::mutex>;

  void begin(waiting_call& me, awaitable<void> work);
  void run_until_ended(waiting_call& me, lock& held);
  void run_one();
  void pass_on();
  void cancel_all();
  void run_when_idle();

  const base::owner_process owner_;
  std::optional<boost::asio::io_context> loop_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> open_;

  std::mutex mutex_;
  std::list<waiting_call*> calls_;  // that have not ended, oldest first
  std::size_t inside_ = 0;          // threads in run()
  bool is_run_ = false;             // some thread runs the loop
  bool thread_runs_it_ = false;     // that is ours
  bool thread_sleeps_ = false;      // until it is notified
  bool closed_ = false;
  std::atomic<bool> thread_must_leave_ = false;
  std::vector<waiting_call*> ending_;  // used by the thread that runs the loop
  clock::time_point last_used_{};
  std::condition_variable thread_wake_, all_left_;
  std::thread thread_;
};

}  // namespace quarq::clients
