// Parts of paths and queries as values.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <quarq/detail/described.hpp>
#include <quarq/detail/model_tag.hpp>
#include <quarq/http/query.hpp>
#include <quarq/http/request.hpp>

namespace quarq::http::detail {

/// What a part of a path can be.
template <class T>
concept text_value = std::is_arithmetic_v<T> || std::is_enum_v<T> || std::same_as<T, std::string>;

/// Nullopt if it is not a T, the whole of it.
template <text_value T>
std::optional<T> from_text(std::string_view text) {
  if constexpr (std::same_as<T, std::string>) {
    return std::string(text);
  } else if constexpr (std::same_as<T, bool>) {
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return std::nullopt;
  } else if constexpr (quarq::detail::described_enum<T>) {
    std::optional<T> found;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
      if (text == enumerator.name) found = enumerator.value;
    });
    return found;
  } else if constexpr (std::is_enum_v<T>) {
    const auto number = from_text<std::underlying_type_t<T>>(text);
    if (!number) return std::nullopt;
    return static_cast<T>(*number);
  } else {
    T value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  }
}

/// Answers 404: nothing has this path.
[[noreturn]] void throw_no_such_path(const request& r);
/// Answers 422.
[[noreturn]] void throw_bad_query(std::string_view name, std::string_view text);

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

template <class T>
T query_value(std::string_view name, const std::string& text) {
  static_assert(
      text_value<T>,
      "quarq: a member of what http::query takes must be a number, bool, enum or std::string, or an "
      "optional or vector of these");
  auto value = from_text<T>(text);
  if (!value) throw_bad_query(name, text);
  return std::move(*value);
}

template <class T>
void read_query_member(const request& r, std::string_view name, T& member) {
  if constexpr (is_vector<T>) {
    const auto texts = r.query_all(name);
    if (!texts.empty()) member.clear();
    for (const auto& text : texts) member.push_back(query_value<typename T::value_type>(name, text));
  } else {
    const auto text = r.query(name);
    if (!text) return;
    if constexpr (is_optional<T>) {
      member = query_value<typename T::value_type>(name, *text);
    } else {
      member = query_value<T>(name, *text);
    }
  }
}

/// The query as a value that has a model: 422 with all that is wrong with it.
void read_query_model(const request& r, const validation::object_type& what, void* target);

template <class T>
query<T> read_query(const request& r) {
  query<T> result;
  if constexpr (validation::modelled<T>) {
    read_query_model(r, validation::type_of<T>::value, &result.value);
    return result;
  }
  boost::mp11::mp_for_each<quarq::detail::members_of<T>>(
      [&](auto member) { read_query_member(r, member.name, result.value.*member.pointer); });
  return result;
}

}  // namespace quarq::http::detail
