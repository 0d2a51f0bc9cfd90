// The children of one process_pool and the calls that wait for them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/process_pool.hpp>

#include "async/completion.hpp"
#include "base/linked_list.hpp"
#include "base/owner_process.hpp"
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
  std::uint64_t last_call = 0;  // its number; changed by the call that has leased the child
  std::optional<process_end> end;
  std::vector<std::shared_ptr<async::completion>> end_waiters;  // of its end
  bool was_killed = false;                                      // since it had closed its connection
  bool may_be_killed = true;                                    // false: the system does not permit it
  bool runs_unkilled = false;                                   // a call that nobody waits for any more
};

class process_pool_impl : public std::enable_shared_from_this<process_pool_impl> {
 public:
  /// A place in the queue of calls that wait for a child. Made on the loop of its call; may be destroyed at
  /// any time.
  class wait_ticket : public base::linked<wait_ticket> {
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
  /// Throws quarq::error in a copy of the process that fork() made: the children are the original's, a mutex
  /// may be locked by a thread that the copy does not have, and each side would read the other's answers. What
  /// ends a call or the pool does nothing there.
  void require_owner() const;
  std::vector<int> pids() const;

  /// An idle child; null if there is none: then the call needs a wait_ticket.
  std::shared_ptr<pool_child> try_take();
  /// Its call has ended normally. `retire`: it asks to be replaced.
  void give_back(const std::shared_ptr<pool_child>& one, bool retire) noexcept;
  /// Kills the child, if it lives, and replaces it.
  void discard(const std::shared_ptr<pool_child>& one) noexcept;
  /// Completes `event` when the child has ended; false if it has ended already.
  bool notify_at_end(const std::shared_ptr<pool_child>& one, std::shared_ptr<async::completion> event);
  /// Kills a child that has closed its connection but has not ended. If the system does not permit that, ends
  /// the waits for its end.
  void kill_silent(const std::shared_ptr<pool_child>& one) noexcept;
  /// How a child ended that was lost: "died of SIGSEGV".
  std::string end_of(const std::shared_ptr<pool_child>& one) const;
  bool is_closed() const;

  /// Refuses further calls, kills all children, and returns when they are gone. Idle ones also go where they
  /// can't be killed, since the program has dropped the privileges that they still have; busy ones are left to
  /// end with their call then.
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
  void leave_queue(wait_ticket& one) noexcept;
  void end_one(pool_child& one) noexcept;
  void fail_if_alone(std::vector<std::shared_ptr<async::completion>>& completions);
  void fail_waiting(const std::string& why, std::vector<std::shared_ptr<async::completion>>& completions);

  // On the supervisor's thread.
  void on_start(const child_ptr& one, std::shared_ptr<child_process> process);
  void on_readable(const child_ptr& one);
  void on_end(const child_ptr& one, std::optional<process_end> end, const std::string& why);

  const process_pool_options options_;
  const base::owner_process owner_;
  mutable std::mutex mutex_;
  std::condition_variable gone_;
  bool closed_ = false;
  bool was_used_ = false;
  std::vector<child_ptr> children_;  // all that have not ended
  std::vector<child_ptr> idle_;      // the most recently used is taken first
  base::linked_list<wait_ticket> waiting_;
  std::size_t waiting_count_ = 0;
  std::size_t wanted_ = 0;  // how many children there should be
  std::size_t living_ = 0;  // children that are starting, idle or busy
  std::size_t starting_ = 0;
  int failed_starts_ = 0;  // in a row
  std::string last_failure_;
};

}  // namespace quarq::processes
