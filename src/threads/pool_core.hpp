// The threads of a pool, their queues, and who is woken when.
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

#include "async/helper.hpp"
#include "threads/places.hpp"
#include "threads/work_queue.hpp"

namespace quarq::detail {

/// Work from outside goes to one queue, work from a thread of the pool to that thread's own; a thread looks
/// into its own, then into the common one (now and then first, so that neither starves), then into those of
/// the others. Held by its threads and by whatever coroutine waits for it.
///
/// Nobody is woken while another wakes up: that one wakes the next if it finds more than it takes. Nothing is
/// overlooked, since who is about to sleep says so first, and then looks once more, by locks.
class pool_core {
 public:
  explicit pool_core(thread_pool_options options);
  ~pool_core();
  void start();
  void end();

  std::size_t size() const noexcept { return size_; }
  void post(posted&& f);
  /// A place in the queue for this call, if the pool has a bound.
  awaitable<void> place_for(std::shared_ptr<thread_call> call);
  /// Counts the call as awaited by the loop of this thread, if that helps while it waits; whoever awaits the
  /// call counts it down again.
  std::shared_ptr<std::atomic<std::size_t>> submit(const std::shared_ptr<thread_call>& call);
  /// Never starts it, if it has not; else requests its stop.
  void cancel(thread_call& call);
  bool is_bounded() const noexcept { return places_.has_value(); }

 private:
  class worker;
  struct sleeper;
  struct call_task;

  void push(posted&& f);
  void start(posted& f);
  posted find(worker& me);
  posted take(threads::work_queue& from, worker& me);
  bool is_all_empty();
  void drop_all();

  void wake_if_asleep() noexcept;
  void wake_one() noexcept;
  bool is_over_for(const sleeper& one) const noexcept;
  void lie_down(sleeper& one);
  bool get_up(sleeper& one) noexcept;
  bool sleep(sleeper& one);
  void stop_searching();

  static void execute(const std::shared_ptr<thread_call>& call);
  static void drop(const std::shared_ptr<thread_call>& call) noexcept;
  void give_back_place(thread_call& call);

  const thread_pool_options options_;
  const std::size_t size_;
  std::optional<threads::places> places_;
  threads::work_queue from_outside_;
  std::vector<std::unique_ptr<worker>> workers_;

  std::mutex sleep_mutex_;
  sleeper* threads_asleep_ = nullptr;  ///< the one that fell asleep last is woken first: its cache is warm
  sleeper* loops_asleep_ = nullptr;    ///< threads that wait in a loop; woken only if no other is asleep
  std::size_t idle_threads_ = 0;       ///< in threads_asleep_
  std::size_t started_threads_ = 0;
  bool ending_ = false;
  bool finished_ = false;
  /// Changed under the mutex; read without, after a queue's lock.
  std::atomic<std::size_t> asleep_ = 0;
  std::atomic<std::size_t> searching_ = 0;  ///< woken, and has not found anything yet
  std::atomic<bool> cancelling_ = false;
};

}  // namespace quarq::detail
