// One thread_pool::run: the function with its arguments on the way there, its value on the way back.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <quarq/awaitable.hpp>
#include <quarq/run.hpp>

namespace quarq {

struct thread_pool_options;
namespace async {
class handoff;
}

namespace detail {

class pool_core;
class posted;

template <class F, class... Args>
inline constexpr bool takes_stop = std::is_invocable_v<F, std::stop_token, Args...>;
template <class F, class... Args>
concept runs_on_thread = takes_stop<F, Args...> || std::is_invocable_v<F, Args...>;

template <class F, class... Args>
struct thread_returns : std::invoke_result<F, Args...> {};
template <class F, class... Args>
requires takes_stop<F, Args...>
struct thread_returns<F, Args...> : std::invoke_result<F, std::stop_token, Args...> {
};

template <class T>
struct unwrapped {
  using type = std::remove_cvref_t<T>;
};
template <class T, class Executor>
struct unwrapped<boost::asio::awaitable<T, Executor>> {
  using type = T;
};
/// What run() of this function and these arguments (decayed) yields.
template <class F, class... Args>
using thread_result =
    typename unwrapped<std::remove_cvref_t<typename thread_returns<F, Args...>::type>>::type;

template <class T>
constexpr bool seat_belt() {
  QUARQ_SEAT_BELT(T);
  return true;
}

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

template <class R, class F, class... Args>
class thread_call_to final : public thread_call_of<R> {
  using returned = std::remove_cvref_t<typename thread_returns<F, Args...>::type>;

 public:
  template <class G, class... Given>
  explicit thread_call_to(G&& f, Given&&... args)
      : thread_call_of<R>(takes_stop<F, Args...> || is_awaitable<returned>),
        what_(std::in_place, std::forward<G>(f), std::forward<Given>(args)...) {}

  void forget() noexcept override { what_.reset(); }

 private:
  auto invoke(std::stop_token stop) -> typename thread_returns<F, Args...>::type {
    return std::apply(
        [&](F& f, Args&... args) -> typename thread_returns<F, Args...>::type {
          if constexpr (takes_stop<F, Args...>) {
            return std::invoke(std::move(f), std::move(stop), std::move(args)...);
          } else {
            return std::invoke(std::move(f), std::move(args)...);
          }
        },
        *what_);
  }
  void work(std::stop_token stop) override {
    if constexpr (is_awaitable<returned> && std::is_void_v<R>) {
      run_loop(invoke(stop), stop);
    } else if constexpr (is_awaitable<returned>) {
      run_loop(store(invoke(stop), this->value), stop);
    } else if constexpr (std::is_void_v<R>) {
      invoke(std::move(stop));
    } else {
      this->value.emplace(invoke(std::move(stop)));
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
