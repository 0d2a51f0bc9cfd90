// A loop that is run by the threads that wait for it: the one that waits longest runs it for all, and a thread of the
// loop's own does only when none waits. So a call needs no other thread to wake up, and yet the connections
// on the loop are looked after between calls.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/detail/job_handle.hpp>

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

  using reporting_work = std::function<awaitable<void>(detail::progress_function)>;
  /// The same for a coroutine that reports progress to a function that it is given. Calls `hear` in this thread with
  /// what was reported last, while other threads run the loop: it may block, and use the loop. Once it throws, the
  /// coroutine is cancelled, and what it threw is rethrown when that has ended.
  void run(const reporting_work& work, const detail::progress_function& hear);

  /// Cancels the coroutines that run, waits until all calls have returned, and destroys the loop. Throws
  /// std::logic_error in a `hear` of its own, whose call could not return.
  void close();

  /// False in a copy of the process that fork() made, in which nothing may be called, nor this be destroyed.
  bool has_thread_here() const noexcept { return owner_.is_this_one(); }

 private:
  using clock = std::chrono::steady_clock;
  // After a call, so long will the next one find the loop free to be run.
  static constexpr std::chrono::milliseconds warm{50};

  struct waiting_call {
    // Its thread has no need of the loop any more.
    bool is_done() const noexcept { return ended && !is_being_stopped; }

    boost::asio::cancellation_signal cancel;
    std::condition_variable wake;  // it has ended or something to hear, or nobody runs the loop
    std::exception_ptr failure;
    bool cancelled = false, ended = false;
    const detail::progress_function* hear = nullptr;
    std::optional<job_progress> said;         // that was not heard yet
    std::exception_ptr thrown;                // by `hear`
    std::optional<std::thread::id> heard_by;  // the thread, while it is in `hear`
    bool is_being_stopped = false;            // the loop is to cancel it, as `hear` has thrown
  };
  using lock = std::unique_lock<std::mutex>;

  void run(waiting_call& me, awaitable<void> work);
  void begin(waiting_call& me, awaitable<void> work);
  void run_for(waiting_call& me, lock& held);
  void say(waiting_call& to, const job_progress& how_far);
  void hear(waiting_call& me, lock& held);
  void stop(waiting_call& me);
  static void cancel(waiting_call& one);
  waiting_call* next_to_run() const noexcept;
  void run_one();
  void pass_on();
  void cancel_all();
  void run_when_idle();

  const base::owner_process owner_;
  std::optional<boost::asio::io_context> loop_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> open_;

  std::mutex mutex_;
  std::list<waiting_call*> calls_;  // whose threads are in run(), oldest first
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
