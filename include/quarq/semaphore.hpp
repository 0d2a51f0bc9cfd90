// Limits how many coroutines do something at the same time.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include <quarq/awaitable.hpp>

namespace quarq {

/// A number of permits, for the coroutines of one loop or strand; other threads must not use it.
///
///     quarq::semaphore connections(10);
///     ...
///     auto permit = co_await connections.acquire();   // held until the end of the scope
class semaphore {
  struct state;

 public:
  /// Releases itself in its destructor. Movable, may be empty, and may outlive the semaphore.
  class permit {
   public:
    permit() noexcept = default;
    permit(permit&& other) noexcept = default;
    permit& operator=(permit&& other) noexcept;
    ~permit() { release(); }

    /// Gives the permit back now; this object is empty afterwards.
    void release();
    /// Whether this object holds a permit.
    explicit operator bool() const noexcept { return from_ != nullptr; }

   private:
    friend class semaphore;
    explicit permit(std::shared_ptr<state> from) noexcept : from_(std::move(from)) {}
    std::shared_ptr<state> from_;
  };

  /// Throws usage_error for 0 permits: nobody could ever acquire one.
  explicit semaphore(std::size_t permits);
  /// Waiting coroutines get boost::system::system_error (operation_aborted).
  ~semaphore();
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  /// Waits for a permit, in FIFO order. Throws operation_aborted when cancelled; a permit that was on its way
  /// goes to the next waiter.
  [[QUARQ_MUST_AWAIT]] awaitable<permit> acquire();

  /// Returns an empty permit if none is available.
  permit try_acquire();

  /// How many permits are available now.
  std::size_t available() const noexcept;

 private:
  static awaitable<permit> acquire_from(std::shared_ptr<state> from);

  std::shared_ptr<state> state_;
};

}  // namespace quarq
