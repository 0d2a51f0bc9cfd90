// How a type's model is found. Included by what must know whether a type has one.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <quarq/detail/described.hpp>

namespace quarq::validation {

struct type;
struct object_type;
/// The table of a type: in <quarq/model.hpp>.
template <class T>
struct type_of;

template <class T>
struct tag {};

/// Throws invalid_value with all that is wrong with the arguments of a call. `names` are the parameters', or none. Defined
/// in <quarq/model.hpp>, which whoever has a model includes.
template <class... Args>
void check_arguments(std::string_view task, std::span<const std::string_view> names,
                     const Args&... arguments);

/// A described struct that QUARQ_MODEL says something about.
template <class T>
concept modelled = quarq::detail::described_struct<T> && requires { quarq_model(tag<T>{}); };

/// A variant that QUARQ_TAGGED says something about.
template <class T>
concept tagged = requires { quarq_tags(tag<T>{}); };

/// Whether a value of the type has a model, or is made of such values. Structs without a model don't count: their
/// members are looked at when their turn comes.
template <class T>
inline constexpr bool uses_model = modelled<T>;
template <class T>
inline constexpr bool uses_model<std::optional<T>> = uses_model<T>;
template <class T, class... Rest>
inline constexpr bool uses_model<std::vector<T, Rest...>> = uses_model<T>;
template <class T, std::size_t N>
inline constexpr bool uses_model<std::array<T, N>> = uses_model<T>;
template <class T, class... Rest>
inline constexpr bool uses_model<std::set<T, Rest...>> = uses_model<T>;
template <class T, class... Rest>
inline constexpr bool uses_model<std::unordered_set<T, Rest...>> = uses_model<T>;
template <class K, class V, class... Rest>
inline constexpr bool uses_model<std::map<K, V, Rest...>> = uses_model<V>;
template <class K, class V, class... Rest>
inline constexpr bool uses_model<std::unordered_map<K, V, Rest...>> = uses_model<V>;
template <class A, class B>
inline constexpr bool uses_model<std::pair<A, B>> = uses_model<A> || uses_model<B>;
template <class... T>
inline constexpr bool uses_model<std::tuple<T...>> = (uses_model<T> || ...);
template <class... T>
inline constexpr bool uses_model<std::variant<T...>> = tagged<std::variant<T...>> || (uses_model<T> || ...);

}  // namespace quarq::validation
