// The threads or processes of a worker, and the jobs that wait for one.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <utility>

#include "workers/clock.hpp"

namespace quarq::workers {

/// A job has a thread (or process), or waits for one in the order of arrival. For one loop, whose end it may
/// see: coroutines that are destroyed then leave the line.
class waiting_line : public std::enable_shared_from_this<waiting_line> {
 public:
  waiting_line(clock& by, boost::asio::any_io_executor loop) : clock_(by), loop_(std::move(loop)) {}

  /// One thread, until it is destroyed.
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

  /// When a thread became free last, or when it was first waited for one.
  clock::time_point moved_at() const noexcept { return moved_at_; }

  /// How long a job had its thread.
  void note_use(std::chrono::microseconds ran) noexcept { average_ += (ran - average_) / 4; }
  /// A job has waited in vain.
  void note_delay() noexcept { average_ = 4 * quick; }
  /// Whether jobs are over before the broker could hand over others: then some may wait here. Besides, threads
  /// are given as many at once as they are expected to end within this time, so that they do not wait for the
  /// loop after each.
  bool is_quick() const noexcept { return average_ < quick; }

 private:
  struct waiter {
    explicit waiter(const boost::asio::any_io_executor& loop) : called(loop) {}
    async::auto_reset_event called;
    bool has_turn = false;
  };
  class place;

  void release();
  bool has_room() const noexcept {
    const auto more = is_quick() ? quick / std::max(average_, std::chrono::microseconds(1)) : 0;
    return in_use_ < size_ * (1 + std::min(static_cast<std::size_t>(more), max_ahead));
  }

  static constexpr std::chrono::microseconds quick{5'000};
  static constexpr std::size_t max_ahead = 50;  // of each thread

  clock& clock_;
  boost::asio::any_io_executor loop_;
  std::size_t size_ = 0, in_use_ = 0;
  std::list<waiter> waiting_;
  clock::time_point moved_at_{};
  std::chrono::microseconds average_ = 2 * quick;  // not known to be quick
};

}  // namespace quarq::workers
