// What a model says of a struct's members. <quarq/model.hpp> is the header to include.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <quarq/bytes.hpp>
#include <quarq/detail/model_definition.hpp>
#include <quarq/detail/model_rules.hpp>
#include <quarq/secret.hpp>

namespace quarq::models {

namespace detail {

/// What rules speak of: the value within an optional and a secret.
template <class T>
struct bare {
  using type = T;
};
template <class T>
struct bare<std::optional<T>> : bare<T> {};
template <class T>
struct bare<secret<T>> : bare<T> {};

template <class T>
concept sized = requires(const T& value) { value.size(); };
template <class T>
concept listed = sized<T> && requires(const T& value) {
  typename T::value_type;
  value.begin();
} && !std::same_as<T, std::string> && !std::same_as<T, bytes>;
template <class T>
concept number = std::is_arithmetic_v<T> && !std::same_as<T, bool>;

template <class T>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;

template <class T>
struct element_of {
  using type = void;
};
template <listed T>
struct element_of<T> {
  using type = typename T::value_type;
};
template <listed T>
  requires requires { typename T::mapped_type; }
struct element_of<T> {
  using type = typename T::mapped_type;
};

}  // namespace detail

/// The rules of one member, or of each of its elements. Each function returns the rules with one more; a rule that
/// does not suit the member's type does not compile. An optional's rules are those of the value in it.
template <class Pointer, class Member, bool OfElements>
class field_builder {
  using value = typename detail::bare<Member>::type;

 public:
  static constexpr bool of_elements = OfElements;
  Pointer pointer;
  validation::rules what{};

  /// low <= value <= high. Kinds greater_than_equal, less_than_equal.
  template <class Low, class High>
  constexpr field_builder range(Low low, High high) const {
    return at_least(low).at_most(high);
  }
  /// Kind greater_than_equal. A duration's limit is a duration.
  template <class Number>
  constexpr field_builder at_least(Number limit) const {
    return with([&](auto& r) { r.low = bound_of(limit, false); });
  }
  /// Kind greater_than.
  template <class Number>
  constexpr field_builder more_than(Number limit) const {
    return with([&](auto& r) { r.low = bound_of(limit, true); });
  }
  /// Kind less_than_equal.
  template <class Number>
  constexpr field_builder at_most(Number limit) const {
    return with([&](auto& r) { r.high = bound_of(limit, false); });
  }
  /// Kind less_than.
  template <class Number>
  constexpr field_builder less_than(Number limit) const {
    return with([&](auto& r) { r.high = bound_of(limit, true); });
  }
  /// Kind multiple_of. `step` must be greater than 0.
  template <class Number>
  constexpr field_builder multiple_of(Number step) const {
    return with([&](auto& r) { r.multiple = bound_of(step, false); });
  }

  /// Characters (code points) of a text, bytes, or elements of a list, set or map: kinds string_too_short and
  /// string_too_long, bytes_too_short and bytes_too_long, too_short and too_long.
  constexpr field_builder length(std::size_t min, std::size_t max = validation::no_limit) const {
    static_assert(
        detail::sized<value>,
        "quarq: length() is for text, bytes, lists, sets and maps: this member's type is none of these");
    return with([&](auto& r) { r.min_length = min, r.max_length = max; });
  }
  /// RE2's syntax; the text must contain a match, so write ^ and $ to ask for all of it. A literal, or text that lives
  /// as long as the program. Kind string_pattern_mismatch. A pattern that RE2 does not take is a usage_error when it is
  /// first needed.
  constexpr field_builder pattern(std::string_view re2) const {
    static_assert(std::same_as<value, std::string>, "quarq: pattern() is for std::string");
    return with([&](auto& r) { r.pattern = re2; });
  }
  /// What the text is: see text_format.
  constexpr field_builder format(text_format which) const {
    static_assert(std::same_as<value, std::string>, "quarq: format() is for std::string");
    return with([&](auto& r) { r.format = which; });
  }
  /// No two elements are equal. In a set, too, an element that comes twice is then an error and not kept once. Kind
  /// unique_items.
  constexpr field_builder unique() const {
    static_assert(
        detail::listed<value> && !requires { typename value::mapped_type; },
        "quarq: unique() is for lists and sets");
    return with([&](auto& r) { r.unique = true; });
  }
  /// Takes NaN and the infinities, which are the texts "NaN", "Infinity" and "-Infinity" in JSON. Else: finite_number.
  constexpr field_builder allow_nan() const {
    static_assert(std::is_floating_point_v<value>, "quarq: allow_nan() is for float and double");
    return with([&](auto& r) { r.allow_nan = true; });
  }
  /// Text is not converted to this member's type, even where the input is only text; or it is, even in JSON.
  constexpr field_builder strict() const {
    return with([](auto& r) { r.strict = true; });
  }
  constexpr field_builder lax() const {
    return with([](auto& r) { r.lax = true; });
  }
  /// `std::string Function(const T&)` returns what is wrong with the value, or nothing. It is called if all other rules
  /// hold, and must not throw. At most four for a member. Kind value_error.
  template <auto Function>
  constexpr field_builder check() const {
    static_assert(std::is_invocable_r_v<std::string, decltype(Function), const value&>,
                  "quarq: check<f>() takes a function std::string f(const T&) of this member's type");
    return with([](auto& r) { r.checks[r.check_count++] = validation::call_check<Function, value>; });
  }

  /// The member's name in the input and in what is written, in place of its own.
  constexpr field_builder alias(std::string_view name) const {
    static_assert(!OfElements, "quarq: elements have no names: alias() is for field()");
    auto result = *this;
    result.what.alias = name;
    return result;
  }
  /// The member may be absent: it then keeps the value that the struct's constructor gives it.
  constexpr field_builder defaulted() const {
    static_assert(!OfElements, "quarq: elements have no defaults: defaulted() is for field()");
    auto result = *this;
    result.what.defaulted = true;
    return result;
  }
  /// What people call it, in the JSON Schema.
  constexpr field_builder title(std::string_view text) const {
    auto result = *this;
    result.what.title = text;
    return result;
  }

 private:
  template <class Change>
  constexpr field_builder with(Change change) const {
    auto result = *this;
    change(result.what);
    result.what.any = true;
    return result;
  }

  template <class Number>
  static constexpr validation::bound bound_of(Number limit, bool exclusive) {
    if constexpr (detail::is_duration<value>) {
      static_assert(detail::is_duration<Number>, "quarq: the limit of a duration is a duration");
      const auto count = quarq::detail::clamped<std::chrono::nanoseconds>(limit).count();
      return {true, exclusive, count, static_cast<double>(count)};
    } else {
      static_assert(detail::number<value>,
                    "quarq: ranges are for numbers and durations: this member's type is none of these");
      static_assert(std::is_arithmetic_v<Number>, "quarq: the limit of a number is a number");
      static_assert(!std::is_integral_v<value> || std::is_integral_v<Number>,
                    "quarq: the limit of an integer is an integer");
      if constexpr (std::is_integral_v<Number>) {
        return {true, exclusive, limit, static_cast<double>(limit)};
      } else {
        return {true, exclusive, 0, static_cast<double>(limit)};
      }
    }
  }
};

/// The rules of a member: field(&order::id).at_least(1).
template <class Class, class Member>
constexpr auto field(Member Class::* pointer) {
  return field_builder<Member Class::*, Member, false>{pointer};
}

/// Those of each element of a member that is a list or a set, or of each value of a map.
template <class Class, class Member>
constexpr auto each(Member Class::* pointer) {
  using element = typename detail::element_of<typename detail::bare<Member>::type>::type;
  static_assert(!std::is_void_v<element>, "quarq: each() is for lists, sets and maps");
  return field_builder<Member Class::*, element, true>{pointer};
}

template <auto Function>
struct object_check {
  template <class T>
  static constexpr validation::check_function of() {
    static_assert(
        std::is_invocable_r_v<std::string, decltype(Function), const T&>,
        "quarq: check<f>() of a model takes a function std::string f(const T&) of the model's type");
    return validation::call_check<Function, T>;
  }
};

/// Asks for something of the whole: `std::string f(const T&)`, called if every member is as it should be.
template <auto Function>
constexpr object_check<Function> check() {
  return {};
}

/// Every member may be absent, as for a struct without a model.
struct defaulted_t {};
inline constexpr defaulted_t all_defaulted;

using format = text_format;
using extra = extra_fields;

}  // namespace quarq::models
