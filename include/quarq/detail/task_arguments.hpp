// Checks the arguments of a call against its task's signature, and converts them.
#pragma once

#include <cstddef>
#include <type_traits>

#include <quarq/detail/fits.hpp>

namespace quarq::detail {

/// False for a T&, through which its function would change the caller's object.
template <class T>
inline constexpr bool is_copied =
    !std::is_lvalue_reference_v<T> || std::is_const_v<std::remove_reference_t<T>>;

/// Named so that the compiler's message tells which argument of which task is wrong.
template <class Task, std::size_t Number, class Given, class Expected>
struct argument {
  static_assert(fits<Given, Expected>,
                "quarq: an argument does not fit the signature of its task: this message names it as "
                "argument<task<signature>, number, type given, type expected>");
  static constexpr bool ok = fits<Given, Expected>;
};

/// The argument as its parameter's type, copied only where the types differ.
template <class Expected, class Given>
decltype(auto) as(Given& given) {
  if constexpr (std::is_same_v<std::remove_const_t<Given>, Expected>) {
    return static_cast<const Expected&>(given);
  } else {
    return static_cast<Expected>(given);
  }
}

}  // namespace quarq::detail
