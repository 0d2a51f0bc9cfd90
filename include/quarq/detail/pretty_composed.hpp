// How what is made of other values is shown: containers, tuples, structs, alternatives, times, texts.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <quarq/detail/pretty_kinds.hpp>
#include <quarq/detail/pretty_output.hpp>

namespace quarq::detail {

template <class Formatting, class T>
void show(pretty_output& out, const T& value);

template <class Formatting, class Range>
void show_elements(pretty_output& out, Range& range) {
  std::size_t shown = 0;
  for (auto it = std::ranges::begin(range); it != std::ranges::end(range); ++it, ++shown) {
    if (shown == out.options().max_elements || out.is_exhausted()) {
      std::size_t left = 0;
      if constexpr (requires { std::ranges::size(range); })
        left = static_cast<std::size_t>(std::ranges::size(range)) - shown;
      return out.more(left);
    }
    out.item();
    auto&& element = *it;
    using value_type = range_value<Range>;
    if constexpr (map_like<Range>) {
      show<Formatting>(out, element.first);
      out.plain(": ");
      show<Formatting>(out, element.second);
    } else if constexpr (!std::is_same_v<std::remove_cvref_t<decltype(element)>, value_type> &&
                         std::is_convertible_v<decltype(element), value_type>) {
      show<Formatting>(out, static_cast<value_type>(element));  // a proxy, such as that of std::vector<bool>
    } else {
      show<Formatting>(out, element);
    }
  }
}

template <class Formatting, class Range>
void show_range(pretty_output& out, Range& range) {
  using kind = std::remove_cv_t<Range>;
  constexpr bool in_braces = map_like<kind> || set_like<kind>;
  constexpr bool fill = std::is_arithmetic_v<range_value<Range>> || one_of<range_value<Range>, std::byte>;
  if (!out.open({}, in_braces ? '{' : '[', in_braces ? '}' : ']', fill)) return;
  show_elements<Formatting>(out, range);
  out.close();
}

template <class Formatting, class T>
void show_tuple(pretty_output& out, const T& value) {
  if (!out.open({}, '(', ')')) return;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    using std::get;
    ((out.item(), show<Formatting>(out, get<I>(value))), ...);
  }(std::make_index_sequence<std::tuple_size_v<T>>());
  out.close();
}

/// A described struct, or an empty class.
template <class Formatting, class T>
void show_described(pretty_output& out, const T& value) {
  if (!out.open_object(type_text<T>())) return;
  if constexpr (described_struct<T>) {
    boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
      out.field(member.name);
      show<Formatting>(out, value.*member.pointer);
    });
  }
  out.close();
}

/// name(value)
template <class Formatting, class T>
void show_named(pretty_output& out, std::string_view name, const T& value) {
  if (!out.open(name, '(', ')')) return;
  out.item();
  show<Formatting>(out, value);
  out.close();
}

/// What may hold a value or something else instead.
template <class Formatting, class T>
void show_alternatives(pretty_output& out, const T& value) {
  if constexpr (is_outcome<T>) {
    if (value.ok()) return show_named<Formatting>(out, "ok", value.value());
    show_named<Formatting>(out, "error", value.error());
  } else if constexpr (expected_like<T>) {
    if (!value.has_value()) return show_named<Formatting>(out, "error", value.error());
    if constexpr (requires { show<Formatting>(out, *value); }) {
      show_named<Formatting>(out, "ok", *value);
    } else {
      out.keyword("ok()");
    }
  } else if constexpr (optional_like<T>) {
    if (!value.has_value()) return out.keyword("nullopt");
    show_named<Formatting>(out, "optional", *value);
  } else {
    if (value.valueless_by_exception()) return out.keyword("valueless");
    const std::string name = "variant<" + std::to_string(value.index()) + ">";
    visit([&](const auto& held) { show_named<Formatting>(out, name, held); }, value);
  }
}

template <class Formatting, class T>
void show_time(pretty_output& out, const T& value) {
  if constexpr (duration_like<T>) {
    show<Formatting>(out, value.count());
    out.unit(T::period::num, T::period::den);
  } else if constexpr (calendar_date<T>) {
    out.date(int(value.year()), unsigned(value.month()), unsigned(value.day()));
  } else {
    const auto passed = value.time_since_epoch();
    if constexpr (requires { T::clock::to_time_t(typename T::clock::time_point()); } &&
                  std::is_integral_v<typename T::rep>) {
      // Of the system's clock, which counts from 1970 in UTC.
      out.utc_time(passed.count(), T::period::num, T::period::den);
    } else {
      out.faint("epoch + ");
      show_time<Formatting>(out, passed);
    }
  }
}

template <class Formatting, class T>
void show_text(pretty_output& out, const T& value) {
  if constexpr (path_like<T>) {
    out.quoted(std::string_view(value.native()));
  } else if constexpr (std::is_same_v<typename T::value_type, char>) {
    out.quoted(std::string_view(value.data(), value.size()));
  } else {
    out.quoted(value.data(), value.size());
  }
}

/// Arrays of characters are texts up to their first zero.
template <class Formatting, class T, std::size_t N>
void show_array(pretty_output& out, const T (&array)[N]) {
  if constexpr (character<T>) {
    std::size_t size = 0;
    while (size < N && array[size] != T()) ++size;
    show<Formatting>(out, std::basic_string_view<T>(array, size));
  } else {
    show_range<Formatting>(out, array);
  }
}

}  // namespace quarq::detail
