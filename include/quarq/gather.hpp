// Several coroutines at once.
#pragma once

#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/outcome.hpp>
#include <quarq/time.hpp>

namespace quarq {

namespace detail {
/// Runs all at once on the current loop; the first failure cancels the rest, and is thrown when all have
/// ended.
awaitable<void> run_all(std::vector<awaitable<void>> work);

/// The same for work that keeps its failures to itself; throws operation_aborted, when all have ended, if the
/// caller was cancelled meanwhile.
awaitable<void> run_all_to_their_ends(std::vector<awaitable<void>> work);

template <class T>
using value_of = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
awaitable<void> into_slot(awaitable<T> from, std::optional<value_of<T>>& slot) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(from);
    slot.emplace();
  } else {
    auto value = co_await std::move(from);
    slot.emplace(std::move(value));
  }
}

template <class T>
awaitable<void> into_outcome(awaitable<T> from, std::optional<outcome<T>>& slot) {
  std::optional<value_of<T>> value;
  try {
    auto work = into_slot<T>(std::move(from), value);
    co_await std::move(work);
  } catch (...) {
    slot.emplace(std::current_exception());
    co_return;
  }
  slot.emplace(std::move(*value));
}
}  // namespace detail

/// Awaits all of them at once: `auto [a, b] = co_await gather(f(x), g(y));`. The value of an awaitable<void>
/// is a std::monostate. If one throws, the others are cancelled, and when all have ended the first exception
/// is thrown.
template <class... T>
awaitable<std::tuple<detail::value_of<T>...>> gather(awaitable<T>... work) {
  std::tuple<std::optional<detail::value_of<T>>...> slots;
  std::vector<awaitable<void>> all;
  all.reserve(sizeof...(T));
  std::apply([&](auto&... slot) { (all.push_back(detail::into_slot<T>(std::move(work), slot)), ...); },
             slots);
  co_await detail::run_all(std::move(all));
  co_return std::apply([](auto&... slot) { return std::tuple<detail::value_of<T>...>(std::move(*slot)...); },
                       slots);
}

/// The same for any number of one kind; the values come in the order of `work`.
template <class T>
awaitable<std::vector<T>> gather(std::vector<awaitable<T>> work) {
  std::vector<std::optional<T>> slots(work.size());
  std::vector<awaitable<void>> all;
  all.reserve(work.size());
  for (std::size_t i = 0; i < work.size(); ++i)
    all.push_back(detail::into_slot<T>(std::move(work[i]), slots[i]));
  co_await detail::run_all(std::move(all));
  std::vector<T> values;
  values.reserve(slots.size());
  for (auto& slot : slots) values.push_back(std::move(*slot));
  co_return values;
}

inline awaitable<void> gather(std::vector<awaitable<void>> work) {
  return detail::run_all(std::move(work));
}

/// Awaits all of them at once, and says of each what became of it: `auto [a, b] = co_await
/// gather_outcomes(f(x), g(y));`, then a.ok(), a.value(), a.error(). One that fails leaves the others alone.
/// If the caller is cancelled, so are all, and when all have ended operation_aborted is thrown.
template <class... T>
awaitable<std::tuple<outcome<T>...>> gather_outcomes(awaitable<T>... work) {
  std::tuple<std::optional<outcome<T>>...> slots;
  std::vector<awaitable<void>> all;
  all.reserve(sizeof...(T));
  std::apply([&](auto&... slot) { (all.push_back(detail::into_outcome<T>(std::move(work), slot)), ...); },
             slots);
  co_await detail::run_all_to_their_ends(std::move(all));
  co_return std::apply([](auto&... slot) { return std::tuple<outcome<T>...>(std::move(*slot)...); }, slots);
}

/// The same for any number of one kind; the outcomes come in the order of `work`.
template <class T>
awaitable<std::vector<outcome<T>>> gather_outcomes(std::vector<awaitable<T>> work) {
  std::vector<std::optional<outcome<T>>> slots(work.size());
  std::vector<awaitable<void>> all;
  all.reserve(work.size());
  for (std::size_t i = 0; i < work.size(); ++i)
    all.push_back(detail::into_outcome<T>(std::move(work[i]), slots[i]));
  co_await detail::run_all_to_their_ends(std::move(all));
  std::vector<outcome<T>> outcomes;
  outcomes.reserve(slots.size());
  for (auto& slot : slots) outcomes.push_back(std::move(*slot));
  co_return outcomes;
}

}  // namespace quarq
