// At most so many at once.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include <quarq/awaitable.hpp>

namespace quarq {

/// A number of permits. To be used by the coroutines of one loop or strand, not from other threads.
///
///     quarq::semaphore connections(10);
///     ...
///     auto permit = co_await connections.acquire();   // until the end of the scope
class semaphore {
  struct state;

 public:
  /// Gives itself back at its end. Movable, may be empty, and may outlive the semaphore.
  class permit {
   public:
    permit() noexcept = default;
    permit(permit&& other) noexcept = default;
    permit& operator=(permit&& other) noexcept;
    ~permit() { release(); }

    /// Gives it back now; it is empty afterwards.
    void release();
    /// Whether it is one.
    explicit operator bool() const noexcept { return from_ != nullptr; }

   private:
    friend class semaphore;
    explicit permit(std::shared_ptr<state> from) noexcept : from_(std::move(from)) {}
    std::shared_ptr<state> from_;
  };

  /// Throws invalid_argument for no permits at all: nobody could ever get one.
  explicit semaphore(std::size_t permits);
  /// Those who wait get boost::system::system_error (operation_aborted).
  ~semaphore();
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  /// Waits for a permit; who came first gets the first. Cancellation ends the wait with operation_aborted,
  /// and a permit that was on its way goes to the next who waits.
  awaitable<permit> acquire();

  /// An empty permit if there is none to be had now.
  permit try_acquire();

  /// How many try_acquire() would give.
  std::size_t available() const noexcept;

 private:
  static awaitable<permit> acquire_from(std::shared_ptr<state> from);

  std::shared_ptr<state> state_;
};

}  // namespace quarq
