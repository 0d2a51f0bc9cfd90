// Level 3: threads that run any function.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/thread_call.hpp>
#include <quarq/detail/unique_function.hpp>
#include <quarq/map.hpp>

namespace quarq {

/// What a pool's destructor does with queued and running work.
enum class shutdown {
  drain,   ///< waits until all of it is done, and also what it posts to the pool meanwhile
  cancel,  ///< drops queued work, requests a stop of running work and waits for that only
};

struct thread_pool_options {
  /// Number of threads; 0: one per processor.
  std::size_t size = 0;
  /// The threads are called NAME-0, NAME-1 ... in debuggers and top. Linux limits a thread's name to 15
  /// characters: a longer NAME is cut.
  std::string name = "threads";
  /// How many pieces of work may wait for a thread; 0: no limit. At the limit, run() suspends its coroutine
  /// until there is room, and post() blocks.
  std::size_t max_queued = 0;
  quarq::shutdown shutdown = quarq::shutdown::drain;
};

/// A pool of threads. Work starts roughly in the order in which it arrives; there is no guarantee for work
/// from several threads. Thread safety: until the pool is destroyed, any thread and any loop may call its
/// members. Must not be destroyed from one of its own threads (calls std::terminate). In a copy of this program
/// made by fork() there are no threads: run() and post() throw quarq::error there.
class thread_pool : public detail::maps<thread_pool> {
 public:
  /// Throws std::system_error if the system refuses a thread.
  explicit thread_pool(thread_pool_options options = {})
      : impl_(threads::make_pool(std::move(options))), size_(threads::size_of(*impl_)) {}
  /// Does what options.shutdown says. run() of dropped work throws quarq::cancelled, and so does run() that
  /// still waits for room in the queue, and run() of work that throws after a stop was requested.
  ~thread_pool() { threads::end_pool(impl_); }
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  /// Calls f(args...) on a thread of the pool and returns its value, or throws the very exception object.
  /// Function and arguments are moved to that thread, as by std::thread, and destroyed there; the value is
  /// moved back.
  ///
  /// If f takes a std::stop_token first, it gets one. If f is a coroutine function, it runs on a loop of its
  /// own on that thread, and ends before the thread does anything else, with the exception named below.
  ///
  /// Cancelled before f began: throws operation_aborted at once, and f is never called. Cancelled while f
  /// runs: f's stop is requested (a coroutine is cancelled), and f is waited for; a value that it returns
  /// nevertheless is delivered, an exception becomes operation_aborted. If the awaiting loop is destroyed
  /// first, the stop is requested and nobody waits.
  ///
  /// On a thread of the pool, quarq::run(pool.run(g)) does not deadlock: a thread whose loop waits for work
  /// of a pool runs queued work meanwhile, its own first. So don't hold a mutex there that other work takes.
  template <class F, class... Args>
  [[QUARQ_MUST_AWAIT]] auto run(F&& f, Args&&... args) const
      -> awaitable<typename detail::invocation<std::decay_t<F>, std::decay_t<Args>...>::result> {
    QUARQ_REQUIRE_NAMED_ARGUMENT(F);
    QUARQ_REQUIRE_NAMED_ARGUMENTS(Args);
    using call = detail::thread_call_to<std::decay_t<F>, std::decay_t<Args>...>;
    return detail::await_call<typename call::result>(
        impl_, std::make_shared<call>(std::forward<F>(f), std::forward<Args>(args)...));
  }

  /// Calls f() on a thread of the pool and does not wait for it. If f throws, std::terminate is called, as by
  /// std::thread. Closures of up to 40 bytes need no allocation. With max_queued, blocks while the queue is
  /// full; on a thread of the pool, f is called at once instead.
  template <class F>
    requires std::is_invocable_v<std::decay_t<F>>
  void post(F&& f) const {
    threads::post(*impl_, detail::unique_function(std::forward<F>(f)));
  }

  /// Number of threads.
  std::size_t size() const noexcept { return size_; }
  /// The max_concurrency of a map that sets none: two per thread.
  std::size_t default_max_concurrency() const noexcept { return 2 * size_; }

 private:
  std::shared_ptr<threads::thread_pool_impl> impl_;
  std::size_t size_;
};

}  // namespace quarq
