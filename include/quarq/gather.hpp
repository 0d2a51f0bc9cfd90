// Runs several coroutines at the same time and waits for all of them, or for the first.
#pragma once

#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/detail/gather_impl.hpp>
#include <quarq/outcome.hpp>

namespace quarq {

/// Runs all of them at the same time and returns their values: `auto [a, b] = co_await gather(f(x), g(y));`.
/// The value of an awaitable<void> is a std::monostate. The first exception cancels the others, and is thrown
/// when all have ended.
template <class... T>
[[QUARQ_MUST_AWAIT]] awaitable<std::tuple<detail::value_of<T>...>> gather(awaitable<T>... work) {
  std::tuple<std::optional<detail::value_of<T>>...> slots;
  std::vector<awaitable<void>> all;
  all.reserve(sizeof...(T));
  std::apply([&](auto&... slot) { (all.push_back(detail::into_slot<T>(std::move(work), slot)), ...); },
             slots);
  co_await detail::run_all(std::move(all));
  co_return std::apply([](auto&... slot) { return std::tuple<detail::value_of<T>...>(std::move(*slot)...); },
                       slots);
}

/// The same for any number of awaitables of one type. The values are in the order of `work`.
template <class T>
[[QUARQ_MUST_AWAIT]] awaitable<std::vector<T>> gather(std::vector<awaitable<T>> work) {
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

[[QUARQ_MUST_AWAIT]] inline awaitable<void> gather(std::vector<awaitable<void>> work) {
  return detail::run_all(std::move(work));
}

/// Runs all of them at the same time and returns their outcomes: `auto [a, b] = co_await
/// gather_outcomes(f(x), g(y));`, then a.ok(), a.value(), a.error(). An exception does not affect the others.
/// If the caller is cancelled, so are all, and operation_aborted is thrown when all have ended.
template <class... T>
[[QUARQ_MUST_AWAIT]] awaitable<std::tuple<outcome<T>...>> gather_outcomes(awaitable<T>... work) {
  std::tuple<std::optional<outcome<T>>...> slots;
  std::vector<awaitable<void>> all;
  all.reserve(sizeof...(T));
  std::apply([&](auto&... slot) { (all.push_back(detail::into_outcome<T>(std::move(work), slot)), ...); },
             slots);
  co_await detail::run_all_to_their_ends(std::move(all));
  co_return std::apply([](auto&... slot) { return std::tuple<outcome<T>...>(std::move(*slot)...); }, slots);
}

/// The same for any number of awaitables of one type. The outcomes are in the order of `work`.
template <class T>
[[QUARQ_MUST_AWAIT]] awaitable<std::vector<outcome<T>>> gather_outcomes(std::vector<awaitable<T>> work) {
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

/// Runs all of them at the same time. The first that ends decides: its value is returned, index() of which says
/// which one it was, or its exception is thrown: `const auto first = co_await when_any(download(), give_up());`.
/// The others are cancelled, and when_any returns when all have ended. The value of an awaitable<void> is a
/// std::monostate.
template <class... T>
  requires (sizeof...(T) > 0)
[[QUARQ_MUST_AWAIT]] awaitable<std::variant<detail::value_of<T>...>> when_any(awaitable<T>... work) {
  return detail::first_of<T...>(std::index_sequence_for<T...>(), std::move(work)...);
}

}  // namespace quarq
