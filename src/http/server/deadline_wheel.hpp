// The deadlines of all connections of a loop, with one timer.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace quarq::http {

class deadline_wheel;

/// What has a deadline. Destroying it takes it off the wheel.
class timed {
 public:
  timed() = default;
  timed(const timed&) = delete;
  timed& operator=(const timed&) = delete;

 protected:
  virtual ~timed();
  /// The deadline has passed; it is not set any more.
  virtual void deadline_passed() = 0;

 private:
  friend class deadline_wheel;
  deadline_wheel* wheel_ = nullptr;
  timed* previous_ = nullptr;
  timed* next_ = nullptr;
  std::uint64_t deadline_ = 0;  // in ticks; 0: none
  std::uint64_t slot_tick_ = 0;
};

/// Deadlines pass up to two ticks late, and never early. Moving one to a later time, which every request does, costs
/// two assignments: it is found where it was, and put where it belongs then.
class deadline_wheel {
 public:
  static constexpr std::chrono::milliseconds tick{100};

  explicit deadline_wheel(const boost::asio::any_io_executor& loop);
  ~deadline_wheel();
  deadline_wheel(const deadline_wheel&) = delete;
  deadline_wheel& operator=(const deadline_wheel&) = delete;

  void set(timed& one, std::chrono::milliseconds from_now);
  void clear(timed& one) noexcept { one.deadline_ = 0; }

  /// Calls those whose deadline has passed. Called by the timer; tests call it with a time of their own.
  void advance(std::uint64_t now_tick);

 private:
  friend class timed;
  static constexpr std::size_t slot_count = 512;
  void link(timed& one, std::uint64_t at);
  void unlink(timed& one) noexcept;
  void run_timer();
  void timer_passed();
  std::uint64_t tick_now() const;

  // Gone with the wheel: the timer's handler may be on its way then, and can't be called back.
  std::shared_ptr<deadline_wheel*> alive_ = std::make_shared<deadline_wheel*>(this);
  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::uint64_t now_ = 1;
  std::size_t size_ = 0;
  bool timer_runs_ = false;
  std::array<timed*, slot_count> slots_{};
};

}  // namespace quarq::http
