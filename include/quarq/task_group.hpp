// Coroutines that are started one by one and end together.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/gather.hpp>

namespace quarq {

namespace detail {
class scope;
}  // namespace detail

/// What with_task_group gives to its body. To be used by the coroutines of the group only: by the body and by
/// what it has spawned, all on one loop or strand.
class task_group {
 public:
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;

  /// Starts `work` at the next turn of the loop: never before spawn() returns. If it throws, everything else
  /// in the group is cancelled. Once the group is cancelled, `work` is destroyed instead, unstarted.
  void spawn(awaitable<void> work);

  /// Cancels the body and all that was spawned, as a cancellation of the caller does. Is not in itself a
  /// failure: with_task_group returns what the body returns, and throws operation_aborted only if it is the
  /// body whose work this has cut short.
  void cancel();

  /// How many of those spawned have not ended. The body is not counted.
  std::size_t size() const noexcept;

 private:
  friend class detail::scope;
  explicit task_group(detail::scope& scope) noexcept : scope_(scope) {}
  detail::scope& scope_;
};

namespace detail {

/// Runs what `body` makes, and what it spawns, until all have ended.
awaitable<void> run_group(std::function<awaitable<void>(task_group&)> body);
[[noreturn]] void throw_aborted();

// Keeps the function for as long as its coroutine: it may be a lambda with captures.
template <class T, class F>
awaitable<void> run_body(F body, task_group& group, std::optional<value_of<T>>& slot) {
  awaitable<T> work = body(group);
  co_await into_slot<T>(std::move(work), slot);
}

template <class T, class F>
awaitable<T> in_task_group(F body) {
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
/// The first that throws, the body or another, cancels the rest, and when all have ended its exception is
/// thrown. Cancellation of the caller cancels all; operation_aborted is thrown when they have ended, unless
/// one of them failed otherwise or the body and all others came to their regular end nevertheless.
template <class F>
  requires std::is_invocable_v<std::decay_t<F>&, task_group&>
auto with_task_group(F&& body) {
  QUARQ_SEAT_BELT(F);
  using work = std::invoke_result_t<std::decay_t<F>&, task_group&>;
  static_assert(detail::is_awaitable<work>, "quarq: the body of a task group is a coroutine");
  return detail::in_task_group<typename detail::awaited<work>::type, std::decay_t<F>>(std::forward<F>(body));
}

}  // namespace quarq
