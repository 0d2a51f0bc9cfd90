// Which arguments a parameter takes: fewer than the language would convert.
#pragma once

#include <type_traits>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq::detail {

/// A Given converts to an Expected without losing its meaning: not a pointer to a number, and not a
/// floating-point number to an integer.
template <class Given, class Expected>
inline constexpr bool fits =
    std::is_convertible_v<Given, Expected> &&
    !(std::is_pointer_v<std::decay_t<Given>> && std::is_arithmetic_v<Expected>) &&
    !(std::is_floating_point_v<std::remove_cvref_t<Given>> && std::is_integral_v<Expected>);

}  // namespace quarq::detail
