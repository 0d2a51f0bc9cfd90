// One thread_pool::run: the function with its arguments on the way there, its value on the way back.
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
#include <quarq/detail_invoke.hpp>
#include <quarq/run.hpp>

namespace quarq {

struct thread_pool_options;
namespace async {
class handoff;
}

namespace detail {

class pool_core;
class posted;

/// Shared by the coroutine that waits and the thread that works: either may be gone before the other.
class thread_call {
 public:
  enum class state { queued, running, ended, cancelled, dropped };

  explicit thread_call(bool hears_stop) {
    if (hears_stop) stop_ = std::stop_source();
  }
  virtual ~thread_call() = default;
  thread_call(const thread_call&) = delete;
  thread_call& operator=(const thread_call&) = delete;

  /// Whoever succeeds in leaving state::queued decides what becomes of it.
  bool leave_queue(state to) noexcept {
    auto from = state::queued;
    return state_.compare_exchange_strong(from, to);
  }
  /// Calls the function; its exception is kept. After that, function and arguments are gone.
  void perform() noexcept;
  virtual void forget() noexcept = 0;
  void request_stop() noexcept { stop_.request_stop(); }
  state where() const noexcept { return state_.load(); }

  std::shared_ptr<async::handoff> done;
  /// Null unless it threw. Belongs to the thread until the event has happened, then to the loop.
  std::exception_ptr failure;
  /// In a queue of bounded length.
  bool holds_place = false;
  /// Its pool ended while it ran.
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

  template <class G, class... Given>
  explicit thread_call_to(G&& f, Given&&... args)
      : thread_call_of<result>(takes_stop_token<F, Args...> || invocation_type::is_coroutine),
        what_(std::in_place, std::forward<G>(f), std::forward<Given>(args)...) {}

  void forget() noexcept override { what_.reset(); }

 private:
  auto invoke(const std::stop_token& stop) -> typename invocation_type::returned {
    return std::apply(
        [&](F& f, Args&... args) ->
        typename invocation_type::returned { return invocation_type::invoke(stop, f, args...); },
        *what_);
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

  std::optional<std::tuple<F, Args...>> what_;
};

std::shared_ptr<pool_core> make_pool(thread_pool_options options);
std::size_t size_of(const pool_core& pool) noexcept;
void end_pool(const std::shared_ptr<pool_core>& pool);
void post(pool_core& pool, posted f);
/// Ends when the call has; throws what it threw.
awaitable<void> run_call(std::shared_ptr<pool_core> pool, std::shared_ptr<thread_call> call);

template <class R>
awaitable<R> await_call(std::shared_ptr<pool_core> pool, std::shared_ptr<thread_call_of<R>> call) {
  if constexpr (std::is_void_v<R>) {
    co_await run_call(std::move(pool), std::move(call));
  } else {
    co_await run_call(std::move(pool), call);
    co_return std::move(*call->value);
  }
}

}  // namespace detail
}  // namespace quarq
