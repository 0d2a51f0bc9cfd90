// The children of one process_pool and the calls that wait for them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/process_pool.hpp>

#include "async/completion.hpp"
#include "processes/ipc_channel.hpp"
#include "processes/supervisor.hpp"

namespace quarq::processes {

/// One child of a pool. Its channel has one user at a time: the supervisor's thread until the child is ready,
/// then the call that has leased it. The rest is guarded by the pool's mutex.
struct pool_child {
  explicit pool_child(base::unique_fd socket) : connection(std::move(socket)) {}

  enum class state { starting, idle, busy, retired, ended };

  ipc_channel connection;
  state now = state::starting;
  std::shared_ptr<child_process> process;  // null until it has started
  std::chrono::steady_clock::time_point ready_at{};
  std::size_t calls = 0;
  std::optional<process_end> end;
  std::vector<std::shared_ptr<async::completion>> end_waiters;  // of its end
};

class process_pool_impl : public std::enable_shared_from_this<process_pool_impl> {
 public:
  /// A place in the queue of calls that wait for a child. Made on the loop of its call; may be destroyed at
  /// any time.
  class wait_ticket {
   public:
    wait_ticket(std::shared_ptr<process_pool_impl> pool, const boost::asio::any_io_executor& loop);
    ~wait_ticket();
    wait_ticket(const wait_ticket&) = delete;
    wait_ticket& operator=(const wait_ticket&) = delete;

    const std::shared_ptr<async::completion>& event() const noexcept { return event_; }
    /// Gives up; completes the event.
    void leave() noexcept;
    /// REQUIRES: the event has happened. Returns the child, or throws why there is none.
    std::shared_ptr<pool_child> take();

   private:
    friend class process_pool_impl;
    std::shared_ptr<process_pool_impl> pool_;
    std::shared_ptr<async::completion> event_;
    // Guarded by the pool's mutex.
    bool queued_ = true;
    std::shared_ptr<pool_child> assigned_;
    std::exception_ptr failure_;
  };

  /// Throws quarq::error if this program can't have children.
  explicit process_pool_impl(process_pool_options options);

  const process_pool_options& options() const noexcept { return options_; }
  std::vector<int> pids() const;

  /// An idle child; null if there is none: then the call needs a wait_ticket.
  std::shared_ptr<pool_child> try_take();
  /// Its call has ended normally. `retire`: it asks to be replaced.
  void give_back(const std::shared_ptr<pool_child>& one, bool retire) noexcept;
  /// Kills the child, if it lives, and replaces it.
  void discard(const std::shared_ptr<pool_child>& one) noexcept;
  /// Completes `event` when the child has ended; false if it has ended already.
  bool notify_at_end(const std::shared_ptr<pool_child>& one, std::shared_ptr<async::completion> event);
  process_end end_of(const std::shared_ptr<pool_child>& one) const;
  bool is_closed() const;

  /// Refuses further calls, kills all children, and returns when they are gone.
  void close() noexcept;

 private:
  using lock = std::unique_lock<std::mutex>;
  using child_ptr = std::shared_ptr<pool_child>;
  using state = pool_child::state;

  // REQUIRES: the mutex is held.
  bool is_consistent() const;  // an invariant
  void start_missing() noexcept;
  void start_one();
  void offer(const child_ptr& one, std::vector<std::shared_ptr<async::completion>>& completions);
  void remove_from_service(const child_ptr& one);
  void fail_if_alone(std::vector<std::shared_ptr<async::completion>>& completions);
  void fail_waiting(const std::string& why, std::vector<std::shared_ptr<async::completion>>& completions);

  // On the supervisor's thread.
  void on_start(const child_ptr& one, std::shared_ptr<child_process> process);
  void on_readable(const child_ptr& one);
  void on_end(const child_ptr& one, std::optional<process_end> end, const std::string& why);

  const process_pool_options options_;
  mutable std::mutex mutex_;
  std::condition_variable gone_;
  bool closed_ = false;
  bool was_used_ = false;
  std::vector<child_ptr> children_;  // all that have not ended
  std::vector<child_ptr> idle_;      // the most recently used is taken first
  std::deque<wait_ticket*> waiting_;
  std::size_t wanted_ = 0;  // how many children there should be
  std::size_t living_ = 0;  // children that are starting, idle or busy
  std::size_t starting_ = 0;
  int failed_starts_ = 0;  // in a row
  std::string last_failure_;
};

}  // namespace quarq::processes
