// Several coroutines as one: what gather, task_group and shield have in common.
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/outcome.hpp>

namespace quarq::detail {

/// Runs all of them at the same time on the current loop. The first failure cancels the rest, and is thrown
/// when all have ended.
awaitable<void> run_all(std::vector<awaitable<void>> work);

/// The same for work that does not throw. Throws operation_aborted, when all have ended, if the caller was
/// cancelled meanwhile.
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

/// Ends the others of when_any.
struct first_ended {};

template <std::size_t I, class T, class Variant>
awaitable<void> into_first(awaitable<T> from, std::optional<Variant>& first) {
  std::optional<value_of<T>> value;
  auto work = into_slot<T>(std::move(from), value);
  co_await std::move(work);
  if (first) co_return;
  first.emplace(std::in_place_index<I>, std::move(*value));
  throw first_ended();
}

template <class... T, std::size_t... I>
awaitable<std::variant<value_of<T>...>> first_of(std::index_sequence<I...>, awaitable<T>... work) {
  std::optional<std::variant<value_of<T>...>> first;
  std::vector<awaitable<void>> all;
  all.reserve(sizeof...(T));
  (all.push_back(into_first<I, T>(std::move(work), first)), ...);
  try {
    co_await run_all(std::move(all));
  } catch (const first_ended&) {
  }
  co_return std::move(*first);
}

}  // namespace quarq::detail
