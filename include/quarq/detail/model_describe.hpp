// From a C++ type to its table. Included by <quarq/model.hpp>.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/mp11/algorithm.hpp>

#include <quarq/codec.hpp>
#include <quarq/detail/described.hpp>
#include <quarq/detail/model_definition.hpp>
#include <quarq/detail/model_tag.hpp>
#include <quarq/detail/model_type.hpp>
#include <quarq/secret.hpp>

namespace quarq::validation {

// `type_of<T>::value` is the table of T. Its address can be taken before it is known, so types may be recursive.

template <class T>
constexpr coded_type::meaning meaning_of = coded_type::meaning::anything;
template <class Rep, class Period>
constexpr coded_type::meaning meaning_of<std::chrono::duration<Rep, Period>> = coded_type::meaning::duration;
template <class Clock, class Duration>
constexpr coded_type::meaning meaning_of<std::chrono::time_point<Clock, Duration>> =
    coded_type::meaning::moment;

/// The kinds of JSON of a type; known without its table.
template <class T>
constexpr unsigned json_of() {
  if constexpr (std::is_same_v<T, bool>) {
    return json_boolean;
  } else if constexpr (std::is_arithmetic_v<T> || meaning_of<T> == coded_type::meaning::duration) {
    return json_number;
  } else if constexpr (quarq::detail::described_enum<T>) {
    return json_text | json_number;
  } else if constexpr (std::is_enum_v<T>) {
    return json_number;
  } else if constexpr (std::is_same_v<T, std::string> || meaning_of<T> == coded_type::meaning::moment) {
    return json_text;
  } else if constexpr (std::is_same_v<T, bytes>) {
    return json_text | json_object;
  } else if constexpr (std::is_same_v<T, std::monostate>) {
    return json_null;
  } else if constexpr (quarq::detail::described_struct<T>) {
    return json_object;
  } else {
    return type_of<T>::json;
  }
}

// ---- what is written by its codec, and scalars

template <class T>
struct type_of {
  static constexpr unsigned json = json_any;
  static void decode(void* target, decoder& in) { *static_cast<T*>(target) = quarq::decode<T>(in); }
  static void encode(const void* at, encoder& out) { quarq::encode(out, *static_cast<const T*>(at)); }
  static const coded_type value;
};
template <class T>
constinit const coded_type type_of<T>::value{
    {kind::coded, meaning_of<T> == coded_type::meaning::anything ? unsigned{json_any} : json_of<T>()},
    meaning_of<T>,
    decode,
    encode};

template <class T>
  requires (std::is_same_v<T, bool> || std::is_same_v<T, std::string> || std::is_same_v<T, bytes> ||
            std::is_same_v<T, std::monostate>)
struct type_of<T> {
  static constexpr type value{std::is_same_v<T, bool>          ? kind::boolean
                              : std::is_same_v<T, std::string> ? kind::text
                              : std::is_same_v<T, bytes>       ? kind::binary
                                                               : kind::nil,
                              json_of<T>()};
};

template <class T>
  requires ((std::is_integral_v<T> && !std::is_same_v<T, bool>) ||
            (std::is_enum_v<T> && !quarq::detail::described_enum<T>))
struct type_of<T> {
  template <class U>
  static constexpr bool is_signed() {
    if constexpr (std::is_enum_v<U>) {
      return std::is_signed_v<std::underlying_type_t<U>>;
    } else {
      return std::is_signed_v<U>;
    }
  }
  static constexpr integer_type value{{kind::integer, json_of<T>()}, sizeof(T), is_signed<T>()};
};

template <class T>
  requires (std::is_same_v<T, float> || std::is_same_v<T, double>)
struct type_of<T> {
  static constexpr real_type value{{kind::real, json_of<T>()}, sizeof(T)};
};

template <quarq::detail::described_enum T>
struct type_of<T> {
  using list = boost::describe::describe_enumerators<T>;
  static constexpr std::size_t count = boost::mp11::mp_size<list>::value;
  static constexpr auto values = [] {
    std::array<enumerator, count> result{};
    std::size_t i = 0;
    boost::mp11::mp_for_each<list>(
        [&](auto e) { result[i++] = {e.name, static_cast<std::int64_t>(e.value)}; });
    return result;
  }();
  static void set(void* target, std::int64_t number) { *static_cast<T*>(target) = static_cast<T>(number); }
  static std::int64_t get(const void* at) { return static_cast<std::int64_t>(*static_cast<const T*>(at)); }
  static constexpr enum_type value{
      {kind::enumeration, json_of<T>()}, type_name<T>(), values.data(), count, set, get};
};

// ---- structs

template <class Class, class Pointer>
struct member_at;

/// One for each member, and one for its elements; made only where there is a pattern.
template <class Class, std::size_t Index, bool OfElements>
constinit inline compiled_pattern pattern_of{nullptr};

template <quarq::detail::described_struct T>
struct type_of<T> {
  using list = quarq::detail::members_of<T>;
  static constexpr std::size_t count = boost::mp11::mp_size<list>::value;
  static_assert(
      std::is_default_constructible_v<T>,
      "quarq: a described struct needs a default constructor, whose values the missing members take");

  template <class Member>
  static void* at(void* object) {
    return &(static_cast<T*>(object)->*Member::pointer);
  }

  template <std::size_t I>
  static constexpr member make_member() {
    using described = boost::mp11::mp_at_c<list, I>;
    using held = std::remove_cvref_t<decltype(std::declval<T&>().*described::pointer)>;
    member result{described::name, &type_of<held>::value, at<described>, rules_of<T>(I), nullptr, nullptr};
    if (!result.asked.alias.empty()) result.name = result.asked.alias;
    if (!result.asked.pattern.empty()) result.pattern = &pattern_of<T, I, false>;
    if (!result.asked.each.pattern.empty()) result.element_pattern = &pattern_of<T, I, true>;
    return result;
  }
  template <std::size_t... I>
  static constexpr std::array<member, sizeof...(I)> make_members(std::index_sequence<I...>) {
    return {make_member<I>()...};
  }
  static const std::array<member, count> members;
  static const object_type value;
};
template <quarq::detail::described_struct T>
constinit const std::array<member, type_of<T>::count> type_of<T>::members =
    type_of<T>::make_members(std::make_index_sequence<count>());
template <quarq::detail::described_struct T>
constinit const object_type type_of<T>::value = object_of<T>(members.data(), count);

// ---- what holds others

template <class T>
struct type_of<std::optional<T>> {
  using optional = std::optional<T>;
  static constexpr unsigned json = json_null | json_of<T>();
  static void* emplace(void* target) { return &static_cast<optional*>(target)->emplace(); }
  static void reset(void* target) { static_cast<optional*>(target)->reset(); }
  static const void* get(const void* at) {
    const auto& held = *static_cast<const optional*>(at);
    return held ? &*held : nullptr;
  }
  static const optional_type value;
};
template <class T>
constinit const optional_type type_of<std::optional<T>>::value{
    {kind::optional, json}, &type_of<T>::value, emplace, reset, get};

template <class T>
struct type_of<secret<T>> {
  static constexpr unsigned json = json_of<T>();
  static void* at(void* target) { return &static_cast<secret<T>*>(target)->expose(); }
  static const secret_type value;
};
template <class T>
constinit const secret_type type_of<secret<T>>::value{{kind::secret, json}, &type_of<T>::value, at};

template <class... T>
struct type_of<std::variant<T...>> {
  using variant = std::variant<T...>;
  static constexpr bool has_tag = tagged<variant>;
  static constexpr unsigned json = has_tag ? unsigned{json_object} : (json_of<T>() | ...);

  static constexpr bool tells_apart() {
    unsigned seen = 0;
    bool apart = true;
    ((apart = apart && (seen & json_of<T>()) == 0, seen |= json_of<T>()), ...);
    return apart;
  }
  static_assert(has_tag || tells_apart(),
                "quarq: the alternatives of this variant have the same kind of JSON, which does not tell "
                "them apart (two "
                "are objects, say): give it a tag, with QUARQ_TAGGED(variant, \"member\", \"value of each "
                "alternative\"...)");

  template <std::size_t I>
  static void* emplace(void* target) {
    return &static_cast<variant*>(target)->template emplace<I>();
  }
  template <std::size_t... I>
  static constexpr std::array<alternative, sizeof...(T)> make(std::index_sequence<I...>) {
    return {alternative{tag_at<variant>(I), &type_of<T>::value, emplace<I>}...};
  }
  static std::size_t index(const void* at) { return static_cast<const variant*>(at)->index(); }
  static const void* get(const void* at) {
    return std::visit([](const auto& held) -> const void* { return &held; },
                      *static_cast<const variant*>(at));
  }
  static const std::array<alternative, sizeof...(T)> alternatives;
  static const variant_type value;
};
template <class... T>
constinit const std::array<alternative, sizeof...(T)> type_of<std::variant<T...>>::alternatives =
    make(std::index_sequence_for<T...>());
template <class... T>
constinit const variant_type type_of<std::variant<T...>>::value{
    {kind::variant, json}, tag_name<variant>(), alternatives.data(), sizeof...(T), index, get};

}  // namespace quarq::validation

#include <quarq/detail/model_containers.hpp>
