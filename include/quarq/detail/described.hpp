// What Boost.Describe knows of a program's structs and enums.
#pragma once

#include <type_traits>

#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq::detail {

template <class T>
concept described_struct = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;
template <class T>
concept described_enum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

/// Its own members and those of its described bases.
template <class T>
using members_of =
    boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;

/// Null if this value is not described.
template <described_enum T>
const char* enumerator_name(T value) noexcept {
  return boost::describe::enum_to_string(value, nullptr);
}

}  // namespace quarq::detail
