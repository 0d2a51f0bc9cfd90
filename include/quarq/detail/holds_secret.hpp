// Which types hold a quarq::secret somewhere within: their values are not for logs.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <quarq/detail/described.hpp>

namespace quarq {

template <class T>
class secret;

namespace detail {

/// `Within`: the structs that are being looked at already, since types may contain themselves.
template <class T, class Within = boost::mp11::mp_list<>>
constexpr bool holds_secret();

template <class T, class Within>
inline constexpr bool is_made_of_secret = false;
template <class T, class Within>
inline constexpr bool is_made_of_secret<secret<T>, Within> = true;
template <class T, std::size_t N, class Within>
inline constexpr bool is_made_of_secret<std::array<T, N>, Within> = holds_secret<T, Within>();
/// optional, containers, pair, tuple, variant...
template <template <class...> class Of, class... T, class Within>
inline constexpr bool is_made_of_secret<Of<T...>, Within> = (holds_secret<T, Within>() || ...);

template <class Class, class Member>
std::type_identity<Member> pointed_by(Member Class::*);

template <class Within, template <class...> class List, class... Member>
constexpr bool any_member_holds_secret(const List<Member...>&) {
  return (holds_secret<std::remove_cv_t<typename decltype(pointed_by(Member::pointer))::type>, Within>() ||
          ...);
}

template <class T, class Within>
constexpr bool holds_secret() {
  if constexpr (boost::mp11::mp_contains<Within, T>::value) {
    return false;
  } else if constexpr (described_struct<T>) {
    return any_member_holds_secret<boost::mp11::mp_push_front<Within, T>>(members_of<T>());
  } else {
    return is_made_of_secret<T, Within>;
  }
}

}  // namespace detail
}  // namespace quarq
