// Codecs of the standard library's containers and sums. Included by <quarq/codec.hpp>.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>

#include <quarq/codec.hpp>

namespace quarq {

namespace detail {

template <class T>
inline constexpr bool may_be_nil = std::is_same_v<T, std::monostate>;
template <class T>
inline constexpr bool may_be_nil<std::optional<T>> = true;

template <class T>
concept plain_enum = std::is_enum_v<T> && !boost::describe::has_describe_enumerators<T>::value;

template <class K>
concept map_key =
    codable<K> && (std::is_same_v<K, std::string> || std::is_integral_v<K> || std::is_enum_v<K>);

/// Capacity to reserve for a claimed count. A large claim may be a lie; an honest container grows as usual.
constexpr std::size_t initial_capacity(std::size_t count) noexcept {
  return std::min<std::size_t>(count, 1024);
}

template <class Range>
void encode_elements(encoder& out, const Range& range) {
  out.array(range.size());
  const encoder::scope level(out);
  for (const typename Range::value_type& item : range) quarq::encode(out, item);
}

template <class Set>
Set decode_set(decoder& in) {
  const std::size_t count = in.array();
  Set result;
  decoder::scope place(in);
  for (std::size_t i = 0; i < count; ++i) {
    place.element(i);
    result.insert(quarq::decode<typename Set::value_type>(in));
  }
  return result;
}

/// A key that is no text may be given as text, since JSON has no other keys.
template <class Key>
Key decode_key(decoder& in) {
  if constexpr (plain_enum<Key>) {
    return static_cast<Key>(decode_key<std::underlying_type_t<Key>>(in));
  } else if constexpr (std::is_same_v<Key, bool>) {
    if (in.peek() == value_type::text) {
      const std::string_view word = in.text();
      if (word != "true" && word != "false")
        in.fail("expected boolean, got the string \"" + std::string(word.substr(0, 40)) + "\"");
      return word == "true";
    }
  } else if constexpr (std::is_integral_v<Key>) {
    if (in.peek() == value_type::text) {
      const std::string_view digits = in.text();
      std::conditional_t<std::is_signed_v<Key>, std::int64_t, std::uint64_t> wide{};
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), wide);
      const auto key = static_cast<Key>(wide);
      if (error != std::errc() || end != digits.data() + digits.size() ||
          static_cast<decltype(wide)>(key) != wide)
        in.fail("expected integer, got the string \"" + std::string(digits.substr(0, 40)) + "\"");
      return key;
    }
  }
  return quarq::decode<Key>(in);
}

/// Names a map's value by its key in error messages.
template <class Key>
void place_entry(decoder::scope& place, const Key& key) {
  if constexpr (std::is_convertible_v<const Key&, std::string_view>) {
    place.entry(std::string_view(key));
  } else if constexpr (std::is_integral_v<Key> || plain_enum<Key>) {
    place.entry(static_cast<std::int64_t>(key));
  } else if constexpr (boost::describe::has_describe_enumerators<Key>::value) {
    place.entry(std::string_view(boost::describe::enum_to_string(key, "")));
  }
}

template <class Map>
void encode_map(encoder& out, const Map& map) {
  out.map(map.size());
  const encoder::scope level(out);
  for (const auto& [key, value] : map) {
    quarq::encode(out, key);
    quarq::encode(out, value);
  }
}

template <class Map>
Map decode_map(decoder& in) {
  const std::size_t count = in.map();
  Map result;
  decoder::scope place(in);
  for (std::size_t i = 0; i < count; ++i) {
    place.key(i + 1);
    auto key = decode_key<typename Map::key_type>(in);
    place_entry(place, key);
    auto value = quarq::decode<typename Map::mapped_type>(in);
    result.insert_or_assign(std::move(key), std::move(value));
  }
  return result;
}

template <class Tuple, std::size_t... I>
void encode_tuple(encoder& out, const Tuple& value, std::index_sequence<I...>) {
  out.array(sizeof...(I));
  const encoder::scope level(out);
  (quarq::encode(out, std::get<I>(value)), ...);
}

template <class T>
T decode_element(decoder& in, decoder::scope& place, std::size_t index) {
  place.element(index);
  return quarq::decode<T>(in);
}

template <class Tuple, std::size_t... I>
Tuple decode_tuple(decoder& in, std::index_sequence<I...>) {
  in.array(sizeof...(I));
  [[maybe_unused]] decoder::scope place(in);
  return Tuple{decode_element<std::tuple_element_t<I, Tuple>>(in, place, I)...};
}

}  // namespace detail

template <codable T>
struct codec<std::vector<T>> {
  static void encode(encoder& out, const std::vector<T>& value) { detail::encode_elements(out, value); }
  static std::vector<T> decode(decoder& in) {
    const std::size_t count = in.array();
    std::vector<T> result;
    result.reserve(detail::initial_capacity(count));
    decoder::scope place(in);
    for (std::size_t i = 0; i < count; ++i) {
      place.element(i);
      result.push_back(quarq::decode<T>(in));
    }
    return result;
  }
};

/// Exactly N elements, neither more nor fewer.
template <codable T, std::size_t N>
struct codec<std::array<T, N>> {
  static void encode(encoder& out, const std::array<T, N>& value) { detail::encode_elements(out, value); }
  static std::array<T, N> decode(decoder& in) {
    if constexpr (std::is_default_constructible_v<T> && std::is_move_assignable_v<T>) {
      in.array(N);
      std::array<T, N> result{};
      decoder::scope place(in);
      for (std::size_t i = 0; i < N; ++i) {
        place.element(i);
        result[i] = quarq::decode<T>(in);
      }
      return result;
    } else {
      return detail::decode_tuple<std::array<T, N>>(in, std::make_index_sequence<N>());
    }
  }
};

/// An element that occurs twice is kept once.
template <codable T, class... Rest>
struct codec<std::set<T, Rest...>> {
  static void encode(encoder& out, const std::set<T, Rest...>& value) { detail::encode_elements(out, value); }
  static std::set<T, Rest...> decode(decoder& in) { return detail::decode_set<std::set<T, Rest...>>(in); }
};

template <codable T, class... Rest>
struct codec<std::unordered_set<T, Rest...>> {
  using set = std::unordered_set<T, Rest...>;
  static void encode(encoder& out, const set& value) { detail::encode_elements(out, value); }
  static set decode(decoder& in) { return detail::decode_set<set>(in); }
};

/// Keys are text, integers, enums or booleans. Of a key that occurs twice the last value counts.
template <detail::map_key K, codable V, class... Rest>
struct codec<std::map<K, V, Rest...>> {
  static void encode(encoder& out, const std::map<K, V, Rest...>& value) { detail::encode_map(out, value); }
  static std::map<K, V, Rest...> decode(decoder& in) {
    return detail::decode_map<std::map<K, V, Rest...>>(in);
  }
};

template <detail::map_key K, codable V, class... Rest>
struct codec<std::unordered_map<K, V, Rest...>> {
  using map = std::unordered_map<K, V, Rest...>;
  static void encode(encoder& out, const map& value) { detail::encode_map(out, value); }
  static map decode(decoder& in) { return detail::decode_map<map>(in); }
};

template <codable A, codable B>
struct codec<std::pair<A, B>> {
  static void encode(encoder& out, const std::pair<A, B>& value) {
    detail::encode_tuple(out, value, std::make_index_sequence<2>());
  }
  static std::pair<A, B> decode(decoder& in) {
    return detail::decode_tuple<std::pair<A, B>>(in, std::make_index_sequence<2>());
  }
};

template <codable... T>
struct codec<std::tuple<T...>> {
  static void encode(encoder& out, const std::tuple<T...>& value) {
    detail::encode_tuple(out, value, std::index_sequence_for<T...>());
  }
  static std::tuple<T...> decode(decoder& in) {
    return detail::decode_tuple<std::tuple<T...>>(in, std::index_sequence_for<T...>());
  }
};

/// The value, or nil.
template <codable T>
struct codec<std::optional<T>> {
  static_assert(!detail::may_be_nil<T>,
                "quarq: nil can't say which of two nested optionals is empty; use a variant or a struct");
  static void encode(encoder& out, const std::optional<T>& value) {
    if (value) {
      quarq::encode(out, *value);
    } else {
      out.nil();
    }
  }
  static std::optional<T> decode(decoder& in) {
    if (in.try_nil()) return std::nullopt;
    return std::optional<T>(std::in_place, quarq::decode<T>(in));
  }
};

/// An array of two: the index of the alternative, from 0, and its value. Add new alternatives at the end.
template <codable... T>
struct codec<std::variant<T...>> {
  static void encode(encoder& out, const std::variant<T...>& value) {
    out.array(2);
    const encoder::scope level(out);
    out.unsigned_integer(value.index());
    std::visit([&](const auto& held) { quarq::encode(out, held); }, value);
  }
  static std::variant<T...> decode(decoder& in) {
    in.array(2);
    decoder::scope place(in);
    place.element(0);
    const auto index = in.unsigned_integer(sizeof...(T) - 1);
    place.element(1);
    return boost::mp11::mp_with_index<sizeof...(T)>(static_cast<std::size_t>(index), [&](auto chosen) {
      using alternative = boost::mp11::mp_at_c<boost::mp11::mp_list<T...>, chosen>;
      return std::variant<T...>(std::in_place_index<chosen>, quarq::decode<alternative>(in));
    });
  }
};

}  // namespace quarq
