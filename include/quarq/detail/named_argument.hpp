// A compile-time check against a defect of g++ before 12.3: it destroys some temporaries twice when they
// stand in an expression with co_await.
#pragma once

#include <type_traits>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq::detail {

template <class T>
concept closure_like =
    std::is_class_v<T> && !std::is_aggregate_v<T> && !std::is_default_constructible_v<T> &&
    !std::is_copy_assignable_v<T> && (requires { &T::operator(); } || requires(T t) { t(); });

/// False for the arguments that g++ before 12.3 destroys twice: temporary aggregates and temporary closures
/// that own something. Named variables, classes with a constructor and trivially destructible types are safe.
template <class T, class U = std::remove_cvref_t<T>>
inline constexpr bool safe_in_co_await =
    std::is_lvalue_reference_v<T> || std::is_trivially_destructible_v<U> ||
    !(std::is_aggregate_v<U> || closure_like<U>);

#if defined(__GNUC__) && !defined(__clang__) && (__GNUC__ * 100 + __GNUC_MINOR__ < 1203)
template <class T>
struct temporary_check {
  static_assert(safe_in_co_await<T>,
                "quarq: this compiler (g++ before 12.3) would destroy this temporary twice inside "
                "co_await: give it a name first (auto x = ...;) and pass x, which is copied; what can't be "
                "copied may be held by a class with a constructor");
  static constexpr bool ok = true;
};
#else
template <class T>
struct temporary_check {
  static constexpr bool ok = true;
};
#endif

}  // namespace quarq::detail

/// Belongs in every function that takes a forwarding reference, or several (`Args...`), and returns an
/// awaitable.
#define QUARQ_REQUIRE_NAMED_ARGUMENT(T) static_assert(::quarq::detail::temporary_check<T>::ok)
#define QUARQ_REQUIRE_NAMED_ARGUMENTS(Args) \
  static_assert((true && ... && ::quarq::detail::temporary_check<Args>::ok))
