// One call of thread_pool::run: the function and its arguments, then its result.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <quarq/awaitable.hpp>
#include <quarq/detail/invoke.hpp>
#include <quarq/run.hpp>

namespace quarq {

struct thread_pool_options;
namespace async {
class completion;
}
namespace threads {
class thread_pool_impl;
}

namespace detail {

class unique_function;

/// Shared by the coroutine that waits and the thread that works: either may be gone before the other.
class thread_call {
 public:
  enum class state { queued, running, ended, cancelled, dropped };

  explicit thread_call(bool can_stop) {
    if (can_stop) stop_ = std::stop_source();
  }
  virtual ~thread_call() = default;
  thread_call(const thread_call&) = delete;
  thread_call& operator=(const thread_call&) = delete;

  /// Several threads may try; the one for which this returns true decides what happens to the call.
  bool leave_queue(state to) noexcept {
    auto from = state::queued;
    return state_.compare_exchange_strong(from, to);
  }
  /// Calls the function and keeps its exception. Afterwards function and arguments are destroyed.
  void perform() noexcept;
  /// Destroys function and arguments.
  virtual void forget() noexcept = 0;
  void request_stop() noexcept { stop_.request_stop(); }
  state current_state() const noexcept { return state_.load(); }

  std::shared_ptr<async::completion> done;
  /// Null unless it threw. Belongs to the thread until `done` is complete, then to the loop.
  std::exception_ptr failure;
  /// It occupies a slot of a bounded queue.
  bool holds_slot = false;
  /// Its pool was destroyed while it ran.
  std::atomic<bool> pool_ended = false;

 protected:
  virtual void work(std::stop_token stop) = 0;

 private:
  std::atomic<state> state_ = state::queued;
  std::stop_source stop_{std::nostopstate};
};

template <class R>
class thread_call_of : public thread_call {
 public:
  using thread_call::thread_call;
  std::optional<std::conditional_t<std::is_void_v<R>, std::monostate, R>> value;
};

template <class F, class... Args>
class thread_call_to final : public thread_call_of<typename invocation<F, Args...>::result> {
  using invocation_type = invocation<F, Args...>;

 public:
  using result = typename invocation_type::result;

  template <class G, class... Values>
  explicit thread_call_to(G&& f, Values&&... args)
      : thread_call_of<result>(takes_stop_token<F, Args...> || invocation_type::is_coroutine),
        function_(std::in_place, std::forward<G>(f), std::forward<Values>(args)...) {}

  void forget() noexcept override { function_.reset(); }

 private:
  auto invoke(const std::stop_token& stop) -> typename invocation_type::returned {
    return std::apply(
        [&](F& f, Args&... args) ->
        typename invocation_type::returned { return invocation_type::invoke(stop, f, args...); },
        *function_);
  }
  void work(std::stop_token stop) override {
    if constexpr (invocation_type::is_coroutine && std::is_void_v<result>) {
      run_loop(invoke(stop), stop);
    } else if constexpr (invocation_type::is_coroutine) {
      run_loop(store(invoke(stop), this->value), stop);
    } else if constexpr (std::is_void_v<result>) {
      invoke(stop);
    } else {
      this->value.emplace(invoke(stop));
    }
  }

  std::optional<std::tuple<F, Args...>> function_;
};

}  // namespace detail

namespace threads {

std::shared_ptr<thread_pool_impl> make_pool(thread_pool_options options);
std::size_t size_of(const thread_pool_impl& pool) noexcept;
void end_pool(const std::shared_ptr<thread_pool_impl>& pool);
void post(thread_pool_impl& pool, detail::unique_function f);
/// Ends when the call has ended; throws what it threw.
awaitable<void> run_call(std::shared_ptr<thread_pool_impl> pool, std::shared_ptr<detail::thread_call> call);

}  // namespace threads

namespace detail {

template <class R>
awaitable<R> await_call(std::shared_ptr<threads::thread_pool_impl> pool,
                        std::shared_ptr<thread_call_of<R>> call) {
  if constexpr (std::is_void_v<R>) {
    co_await threads::run_call(std::move(pool), std::move(call));
  } else {
    co_await threads::run_call(std::move(pool), call);
    co_return std::move(*call->value);
  }
}

}  // namespace detail
}  // namespace quarq
