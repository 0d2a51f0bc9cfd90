// The threads of a pool, their queues, and when a thread is woken.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>

#include <quarq/thread_pool.hpp>

#include "async/idle_work_source.hpp"
#include "base/owner_process.hpp"
#include "threads/slots.hpp"
#include "threads/work_queue.hpp"

namespace quarq::threads {

/// Work from other threads goes to one external queue, work from a thread of the pool to that thread's own
/// queue. A thread looks for work in its own queue, then in the external one (now and then first, so that
/// neither starves), then in those of the other threads. Kept alive by the pool and by the coroutines that
/// wait for it.
///
/// At most one woken thread is looking for work (spinning) at a time: it wakes the next if it finds more than
/// it takes. No work is overlooked, since a thread parks first and then looks into all queues once more,
/// under their locks.
class thread_pool_impl {
 public:
  explicit thread_pool_impl(thread_pool_options options);
  ~thread_pool_impl();
  void start();
  void end();

  std::size_t size() const noexcept { return size_; }
  /// False in a copy of the process that fork() made: the pool's threads do not exist there.
  bool has_threads_here() const noexcept { return owner_.is_this_one(); }
  /// Throws quarq::error in such a copy.
  void require_threads() const;
  void post(detail::unique_function&& f);
  /// Waits for a slot in the queue. REQUIRES: is_bounded().
  awaitable<void> slot_for(std::shared_ptr<detail::thread_call> call);
  /// Queues the call. On a thread of a pool, returns the number of calls that its loop awaits, in which this
  /// call is counted: the caller counts it down when the wait has ended.
  std::shared_ptr<std::atomic<std::size_t>> submit(const std::shared_ptr<detail::thread_call>& call);
  /// Drops the call if it has not begun; else requests its stop.
  void cancel(detail::thread_call& call);
  bool is_bounded() const noexcept { return slots_.has_value(); }

 private:
  class worker;
  struct parked_worker;
  struct call_task;

  void push(detail::unique_function&& f);
  void start(detail::unique_function& f);
  detail::unique_function find(worker& me);
  detail::unique_function take(work_queue& from, worker& me);
  bool all_queues_empty();
  void drop_all();

  void wake_if_parked() noexcept;
  void wake_one() noexcept;
  bool is_over_for(const parked_worker& one) const noexcept;
  void park(parked_worker& one);
  bool unpark(parked_worker& one) noexcept;
  bool sleep(parked_worker& one);
  void stop_spinning();

  static void execute(const std::shared_ptr<detail::thread_call>& call);
  static void drop(const std::shared_ptr<detail::thread_call>& call) noexcept;
  void release_slot(detail::thread_call& call);

  const thread_pool_options options_;
  const base::owner_process owner_;
  const std::size_t size_;
  std::optional<slots> slots_;
  work_queue external_;
  std::vector<std::unique_ptr<worker>> workers_;

  std::mutex park_mutex_;
  parked_worker* parked_threads_ = nullptr;  ///< parked last, woken first: its cache is warm
  parked_worker* parked_loops_ = nullptr;    ///< threads in a loop; woken only if no other is parked
  std::size_t idle_threads_ = 0;             ///< in parked_threads_
  std::size_t started_threads_ = 0;
  bool ending_ = false;
  bool finished_ = false;
  /// Changed under the mutex; read without it, after a queue's lock.
  std::atomic<std::size_t> parked_count_ = 0;
  std::atomic<std::size_t> spinning_ = 0;  ///< woken, and has not found anything yet
  std::atomic<bool> cancelling_ = false;
};

}  // namespace quarq::threads
