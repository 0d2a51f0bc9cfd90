// Structured concurrency: coroutines that are started one by one, and all end before their group does.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/gather_impl.hpp>

namespace quarq {

namespace async {
class scope;
}  // namespace async
class task_group;

namespace detail {
/// The body has thrown: cancels the rest.
void fail_body(task_group& group, const std::exception_ptr& failure);
}  // namespace detail

/// What with_task_group passes to its body. Only the coroutines of the group may use it: the body and what it
/// has spawned, all on one loop or strand.
class task_group {
 public:
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;

  /// Starts `work` on the next loop iteration, never before spawn() returns. If it throws, everything else in
  /// the group is cancelled, on the loop iteration after that: what was spawned together with it has begun by
  /// then. Once the group is cancelled, or its body has thrown, `work` is destroyed unstarted.
  void spawn(awaitable<void> work);

  /// Cancels the body and everything spawned, like a cancellation of the caller. This alone is not a failure:
  /// with_task_group still returns what the body returns, and throws operation_aborted only if the body
  /// itself was cut short.
  void cancel();

  /// How many spawned coroutines have not ended. The body is not counted.
  std::size_t size() const noexcept;

 private:
  friend class async::scope;
  friend void detail::fail_body(task_group& group, const std::exception_ptr& failure);
  explicit task_group(async::scope& scope) noexcept : scope_(scope) {}
  async::scope& scope_;
};

namespace detail {

/// Runs the coroutine that `body` returns, and what it spawns, until all have ended.
awaitable<void> run_group(std::function<awaitable<void>(task_group&)> body);
[[noreturn]] void throw_aborted();

// Keeps the function as long as its coroutine runs: it may be a lambda with captures.
template <class T, class F>
awaitable<void> run_body(F body, task_group& group, std::optional<value_of<T>>& slot) {
  std::exception_ptr failure;
  try {
    awaitable<T> work = body(group);
    co_await into_slot<T>(std::move(work), slot);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  // Now, before what it has spawned begins.
  fail_body(group, failure);
  std::rethrow_exception(failure);
}

template <class T, class F>
[[QUARQ_MUST_AWAIT]] awaitable<T> in_task_group(F body) {
  std::optional<value_of<T>> slot;
  std::function<awaitable<void>(task_group&)> start = [&](task_group& group) {
    return run_body<T>(std::move(body), group, slot);
  };
  co_await run_group(std::move(start));
  // Cancelled by its own group.
  if (!slot) throw_aborted();
  if constexpr (!std::is_void_v<T>) co_return std::move(*slot);
}

}  // namespace detail

/// Runs `body`, a function that takes a task_group& and returns an awaitable, and returns its value once the
/// body and everything spawned in the group have ended: nothing outlives it.
///
///     auto all = [&](quarq::task_group& group) -> quarq::awaitable<void> {
///       for (const auto& url : urls) group.spawn(fetch(url));
///       co_return;
///     };
///     co_await quarq::with_task_group(all);
///
/// The first exception, of the body or of a spawned coroutine, cancels the rest, and is thrown when all have
/// ended. Cancelling the caller cancels all; operation_aborted is thrown when they have ended, unless one of
/// them failed for another reason, or all of them ended normally nevertheless.
template <class F>
  requires std::is_invocable_v<std::decay_t<F>&, task_group&>
auto with_task_group(F&& body) {
  QUARQ_REQUIRE_NAMED_ARGUMENT(F);
  using work = std::invoke_result_t<std::decay_t<F>&, task_group&>;
  static_assert(detail::is_awaitable<work>, "quarq: the body of a task group is a coroutine");
  return detail::in_task_group<typename detail::awaited<work>::type, std::decay_t<F>>(std::forward<F>(body));
}

}  // namespace quarq
