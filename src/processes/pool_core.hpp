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

#include "async/handoff.hpp"
#include "processes/keeper.hpp"
#include "processes/link.hpp"

namespace quarq::processes {

/// One child of a pool. Its link is used by one at a time: the keeper's thread until the child is ready, then
/// whoever has a lease on it. The rest is guarded by the pool's mutex.
struct pool_child {
  explicit pool_child(base::unique_fd socket) : connection(std::move(socket)) {}

  enum class state { starting, idle, busy, retired, ended };

  link connection;
  state now = state::starting;
  std::shared_ptr<child> process;  // null until it has started
  std::chrono::steady_clock::time_point ready_at{};
  std::size_t calls = 0;
  std::optional<process_end> end;
  std::vector<std::shared_ptr<async::handoff>> to_tell;  // of its end
};

class pool_core : public std::enable_shared_from_this<pool_core> {
 public:
  /// A place in the queue of calls that wait for a child. Made on its loop; may end at any time.
  class place {
   public:
    place(std::shared_ptr<pool_core> pool, const boost::asio::any_io_executor& loop);
    ~place();
    place(const place&) = delete;
    place& operator=(const place&) = delete;

    const std::shared_ptr<async::handoff>& event() const noexcept { return event_; }
    /// Gives up; the event happens then.
    void leave() noexcept;
    /// The child; throws what the pool has to say instead. After the event.
    std::shared_ptr<pool_child> take();

   private:
    friend class pool_core;
    std::shared_ptr<pool_core> pool_;
    std::shared_ptr<async::handoff> event_;
    // Guarded by the pool's mutex.
    bool queued_ = true;
    std::shared_ptr<pool_child> given_;
    std::exception_ptr failure_;
  };

  explicit pool_core(process_pool_options options);

  const process_pool_options& options() const noexcept { return options_; }
  std::vector<int> pids() const;

  /// An idle child, or null: then it is time for a place.
  std::shared_ptr<pool_child> try_take();
  /// Its call has ended as it should. `retire`: it asks to be replaced.
  void give_back(const std::shared_ptr<pool_child>& one, bool retire) noexcept;
  /// It is killed, if it lives, and replaced.
  void discard(const std::shared_ptr<pool_child>& one) noexcept;
  /// False if it has ended already; otherwise `event` happens when it has.
  bool tell_end(const std::shared_ptr<pool_child>& one, std::shared_ptr<async::handoff> event);
  process_end end_of(const std::shared_ptr<pool_child>& one) const;
  bool is_closed() const;

  /// No call begins any more, and all children are killed. Returns when they are gone.
  void close() noexcept;

 private:
  using lock = std::unique_lock<std::mutex>;
  using child_ptr = std::shared_ptr<pool_child>;
  using state = pool_child::state;

  // With the mutex held.
  void start_missing() noexcept;
  void start_one();
  void offer(const child_ptr& one, std::vector<std::shared_ptr<async::handoff>>& happened);
  void remove_from_service(const child_ptr& one);
  void fail_if_alone(std::vector<std::shared_ptr<async::handoff>>& happened);
  void fail_waiting(const std::string& why, std::vector<std::shared_ptr<async::handoff>>& happened);

  // On the keeper's thread.
  void on_start(const child_ptr& one, std::shared_ptr<child> process);
  void on_readable(const child_ptr& one);
  void on_end(const child_ptr& one, std::optional<process_end> end, const std::string& why);

  const process_pool_options options_;
  mutable std::mutex mutex_;
  std::condition_variable gone_;
  bool closed_ = false;
  bool was_used_ = false;
  std::vector<child_ptr> children_;  // all that have not ended
  std::vector<child_ptr> idle_;      // the last one used is the next one
  std::deque<place*> waiting_;
  std::size_t wanted_ = 0;  // children there should be
  std::size_t living_ = 0;  // children that are starting, idle or busy
  std::size_t starting_ = 0;
  int failed_starts_ = 0;  // one after the other
  std::string last_failure_;
};

}  // namespace quarq::processes
