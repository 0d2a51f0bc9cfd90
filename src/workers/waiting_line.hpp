// The processes of a worker, and the jobs that wait for one.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <utility>

#include "workers/clock.hpp"

namespace quarq::workers {

/// A job has a process (or a thread, where a hook on the loop comes before its function), or waits for one in
/// the order of arrival. For one loop, whose end it may see: coroutines that are destroyed then leave the line.
class waiting_line : public std::enable_shared_from_this<waiting_line> {
 public:
  waiting_line(clock& by, boost::asio::any_io_executor loop) : clock_(by), loop_(std::move(loop)) {}

  /// One process, until it is destroyed.
  class turn {
   public:
    turn() = default;
    explicit turn(std::shared_ptr<waiting_line> of) noexcept : of_(std::move(of)) {}
    turn(turn&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    turn& operator=(turn&& other) noexcept {
      std::swap(of_, other.of_);
      return *this;
    }
    ~turn() { give_back(); }
    void give_back() {
      if (const auto of = std::exchange(of_, nullptr)) of->release();
    }
    explicit operator bool() const noexcept { return of_ != nullptr; }

   private:
    std::shared_ptr<waiting_line> of_;
  };

  void set_size(std::size_t size) noexcept { size_ = size; }
  std::size_t size() const noexcept { return size_; }

  /// Empty if none is free, or others wait.
  turn try_take();
  /// Waits for one. Throws operation_aborted when cancelled.
  awaitable<turn> take();

  /// When one became free last, or when it was first waited for one.
  clock::time_point moved_at() const noexcept { return moved_at_; }

  /// How long a job had it.
  void note_use(std::chrono::microseconds ran) noexcept { average_ += (ran - average_) / 4; }
  /// A job has waited in vain.
  void note_delay() noexcept { average_ = 4 * quick; }
  /// Whether jobs are over before the broker could hand over others: then some may wait here.
  bool is_quick() const noexcept { return average_ < quick; }

 private:
  struct waiter {
    explicit waiter(const boost::asio::any_io_executor& loop) : called(loop) {}
    async::auto_reset_event called;
    bool has_turn = false;
  };
  class place;

  void release();
  bool has_room() const noexcept { return in_use_ < size_; }

  static constexpr std::chrono::microseconds quick{5'000};

  clock& clock_;
  boost::asio::any_io_executor loop_;
  std::size_t size_ = 0, in_use_ = 0;
  std::list<waiter> waiting_;
  clock::time_point moved_at_{};
  std::chrono::microseconds average_ = 2 * quick;  // not known to be quick
};

}  // namespace quarq::workers
