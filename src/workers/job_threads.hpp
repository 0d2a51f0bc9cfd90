// The threads of a worker, the jobs that wait for one, and their way back to the loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/thread_pool.hpp>

#include "async/completion.hpp"
#include "workers/clock.hpp"
#include "workers/running_job.hpp"

namespace quarq::workers {

/// A thread takes the next job itself, in the order of arrival: it does not wait for the loop between two jobs.
/// Under the lock either the thread takes a job, and then it has started, or the loop takes it back, and then
/// its function is never called. Starts and ends come to the loop together: one wake-up for many.
///
/// For one loop, which calls all members. Threads hold it as well, and may outlive the loop.
class job_threads : public std::enable_shared_from_this<job_threads> {
 public:
  struct params {
    clock& time;
    boost::asio::any_io_executor loop;
    /// Its function was called at job.thread.began.
    std::function<void(running_job&)> began;
    /// No thread has it any more; it may never have begun (job.thread.has_begun).
    std::function<void(running_job&)> back;
    /// Lives while jobs are under way.
    std::weak_ptr<void> owner;
  };
  explicit job_threads(params p) : its_(std::move(p)) {}

  /// REQUIRES: `pool` outlives all jobs that were added.
  void use(const thread_pool& pool);

  /// Puts the job behind those that wait. It stays where it is until it is back.
  /// No thread begins it later than `start_by`.
  void add(running_job& job, clock::time_point start_by);
  /// Takes the job back: true if no thread has taken it. Then it comes back unbegun, in a later turn of the
  /// loop.
  bool withdraw(running_job& job);
  /// Threads take no more jobs: the loop is gone.
  void close();

  /// When a thread has taken a job last, or when a job came and none waited.
  clock::time_point moved_at();

  /// How many jobs may wait here, so that the threads do not wait for the broker: as many as are expected to
  /// end within a moment, and none while it is not known that they do.
  std::size_t ahead() const noexcept;
  /// A job has waited in vain.
  void note_delay() noexcept { average_ = 4 * quick; }

 private:
  void push_fresh();
  awaitable<void> deliver();
  awaitable<void> wait_for_news();
  void deliver_news();

  // On threads.
  void work();
  running_job* exchange_jobs(running_job* done);

  static constexpr std::chrono::nanoseconds quick = std::chrono::milliseconds(5);
  static constexpr std::size_t max_ahead = 256;
  static constexpr std::size_t pushed_together = 32;

  params its_;
  const thread_pool* pool_ = nullptr;

  // The loop's own.
  std::vector<running_job*> fresh_;  // not in waiting_ yet: pushed together, so that threads are woken once
  bool push_is_posted_ = false;
  std::size_t out_ = 0;  // jobs that are not back
  bool delivers_ = false;
  std::chrono::nanoseconds average_ = 2 * quick;  // not known to be quick
  std::vector<running_job*> began_now_, back_now_;

  std::mutex mutex_;
  std::deque<running_job*> waiting_;
  clock::time_point moved_at_{};
  std::size_t working_ = 0;  // threads that take jobs, or will soon
  std::vector<running_job*> began_, back_;
  std::shared_ptr<async::completion> loop_waits_;  // null: it looks again by itself
};

}  // namespace quarq::workers
