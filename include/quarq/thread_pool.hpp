// Threads: run() any function on one, post() and forget.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail_posted.hpp>
#include <quarq/detail_thread_call.hpp>
#include <quarq/map.hpp>

namespace quarq {

/// What a pool's destructor does with work that is queued or runs.
enum class at_end {
  wait,    ///< waits until all of it is done, and what it posts to the pool meanwhile
  cancel,  ///< drops what is queued, requests the stop of what runs, and waits for that only
};

struct thread_pool_options {
  /// How many threads; 0: one per processor.
  std::size_t size = 0;
  /// Threads are called NAME-0, NAME-1 ... in debuggers and top; Linux shows 15 characters, so a longer name
  /// is cut.
  std::string name = "threads";
  /// How many pieces of work may wait for a thread; 0: any number. When that many wait, run() suspends its
  /// coroutine until there is place, and post() blocks.
  std::size_t max_queued = 0;
  quarq::at_end at_end = quarq::at_end::wait;
};

/// Threads that run functions: level 3. Its members may be called from any thread and any loop, until it is
/// destroyed. Work starts about in the order it came in; there is no promise about work from several threads.
/// Not to be destroyed by one of its own threads: that ends the program.
class thread_pool : public detail::maps<thread_pool> {
 public:
  /// Throws std::system_error if the system refuses a thread.
  explicit thread_pool(thread_pool_options options = {})
      : core_(detail::make_pool(std::move(options))), size_(detail::size_of(*core_)) {}
  /// As options.at_end says. run() of a coroutine whose work is dropped throws quarq::cancelled there, and so
  /// does one that still waits for a place; what runs and throws after the stop was requested ends so, too.
  ~thread_pool() { detail::end_pool(core_); }
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  /// Calls f(args...) on a thread of the pool and returns its value, or throws the very exception. Function
  /// and arguments are moved there, as std::thread does it, and destroyed there; the value is moved back.
  ///
  /// An f that takes a std::stop_token first gets one. An f that is a coroutine function runs on a loop of
  /// its own on that thread, and ends before the thread does anything else, but for what is said below.
  ///
  /// Cancelled before it began, it ends at once with operation_aborted, and f is never called. Cancelled
  /// while f runs, f's stop is requested (a coroutine is cancelled) and f is waited for: a value that it
  /// returns nevertheless is delivered, an exception becomes operation_aborted. If the loop that waits ends
  /// first, the stop is requested and nobody waits.
  ///
  /// On a thread of the pool, quarq::run(pool.run(g)) is no deadlock: a thread whose loop waits for a pool's
  /// work does queued work meanwhile, its own first. So don't hold a mutex there which other work takes.
  template <class F, class... Args>
  auto run(F&& f, Args&&... args) const
      -> awaitable<typename detail::invocation<std::decay_t<F>, std::decay_t<Args>...>::result> {
    QUARQ_SEAT_BELT(F);
    QUARQ_SEAT_BELTS(Args);
    using call = detail::thread_call_to<std::decay_t<F>, std::decay_t<Args>...>;
    return detail::await_call<typename call::result>(
        core_, std::make_shared<call>(std::forward<F>(f), std::forward<Args>(args)...));
  }

  /// Calls f() on a thread of the pool, and forgets it. An exception that leaves f ends the program
  /// (std::terminate), as it does in std::thread. Closures of up to 40 bytes are not allocated. With
  /// max_queued: blocks while the queue is full; on a thread of the pool, f is called at once instead.
  template <class F>
    requires std::is_invocable_v<std::decay_t<F>>
  void post(F&& f) const {
    detail::post(*core_, detail::posted(std::forward<F>(f)));
  }

  /// How many threads it has.
  std::size_t size() const noexcept { return size_; }
  /// How many of a map's calls are in work at once if nothing else is said.
  std::size_t default_at_once() const noexcept { return 2 * size_; }

 private:
  std::shared_ptr<detail::pool_core> core_;
  std::size_t size_;
};

}  // namespace quarq
