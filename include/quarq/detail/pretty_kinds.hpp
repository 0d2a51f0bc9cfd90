// The kinds of values that are shown in ways of their own, told by what they can do: so the headers of
// filesystem, chrono and others are not needed here.
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <iosfwd>
#include <iterator>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <quarq/detail/described.hpp>

namespace quarq {

template <class T>
class outcome;
class pretty_writer;
template <class T>
struct pretty_printer;

namespace detail {

template <class T>
concept custom_printed =
    requires(pretty_writer& out, const T& value) { pretty_printer<T>::print(out, value); };

template <class T, class... Others>
concept one_of = (std::same_as<T, Others> || ...);

template <class T>
concept character = one_of<T, char, wchar_t, char8_t, char16_t, char32_t>;

/// std::basic_string, std::basic_string_view, and those like them.
template <class T>
concept string_like = requires(const T& value) {
  typename T::traits_type;
  requires character<typename T::value_type>;
  { value.data() } -> std::convertible_to<const typename T::value_type*>;
  { value.size() } -> std::convertible_to<std::size_t>;
};

template <class T>
concept path_like = requires(const T& value) {
  value.lexically_normal();
  { value.native() } -> std::convertible_to<std::string_view>;
};

template <class T>
concept duration_like = requires(const T& value) {
  typename T::rep;
  { value.count() } -> std::convertible_to<typename T::rep>;
  T::period::num;
  T::period::den;
};

template <class T>
concept time_point_like = requires(const T& value) {
  typename T::clock;
  { value.time_since_epoch() } -> duration_like;
};

template <class T>
concept calendar_date = requires(const T& value) {
  { int(value.year()) } -> std::same_as<int>;
  { unsigned(value.month()) } -> std::same_as<unsigned>;
  { unsigned(value.day()) } -> std::same_as<unsigned>;
  value.ok();
};

/// std::error_code and error_condition, and Boost's.
template <class T>
concept error_code_like = requires(const T& value) {
  { value.value() } -> std::same_as<int>;
  { value.category().name() } -> std::convertible_to<const char*>;
  { value.message() } -> std::convertible_to<std::string>;
};

template <class T>
inline constexpr bool is_outcome = false;
template <class T>
inline constexpr bool is_outcome<outcome<T>> = true;

template <class T>
concept expected_like = requires(const T& value) {
  { value.has_value() } -> std::same_as<bool>;
  value.error();
};

template <class T>
concept optional_like = !expected_like<T> && requires(const T& value) {
  { value.has_value() } -> std::same_as<bool>;
  *value;
};

template <class T>
concept variant_like = requires(const T& value) {
  { value.index() } -> std::convertible_to<std::size_t>;
  { value.valueless_by_exception() } -> std::same_as<bool>;
};

template <class T>
concept smart_pointer = requires(const T& value) {
  requires std::is_pointer_v<std::remove_cvref_t<decltype(value.get())>>;
  static_cast<bool>(value);
};

template <class T>
concept weak_pointer = requires(const T& value) {
  { value.expired() } -> std::same_as<bool>;
  { value.lock() } -> smart_pointer;
};

template <class T>
concept atomic_like = requires(const T& value) {
  value.load();
  { value.is_lock_free() } -> std::same_as<bool>;
};

template <class T>
concept reference_like = requires(const T& value) {
  { value.get() } -> std::same_as<typename T::type&>;
};

/// A class or enum for which an operator<< was written: members of std::ostream do not count, as they would
/// show whatever converts to bool as one.
template <class T>
concept streamable = (std::is_class_v<T> || std::is_union_v<T> || std::is_enum_v<T>) &&
                     requires(std::ostream& out, const T& value) { operator<<(out, value); };

template <class T>
concept any_range = requires(T& range) {
  std::ranges::begin(range);
  std::ranges::end(range);
};

/// A range that reading does not use up. (What a range of itself is, as a path, has no end of levels.)
template <class T>
concept forward_range = requires(T& range) {
  { std::ranges::begin(range) } -> std::forward_iterator;
  std::ranges::end(range);
  requires !std::same_as<std::remove_cvref_t<decltype(*std::ranges::begin(range))>, std::remove_cv_t<T>>;
};

/// A view that caches where it begins, and so can't be read if it is const. Its copy can.
template <class T>
concept caching_view =
    !forward_range<const T> && forward_range<T> && std::copy_constructible<T> && std::ranges::enable_view<T>;

template <class T>
concept sized = forward_range<const T> && requires(const T& range) {
  { std::ranges::size(range) } -> std::convertible_to<std::size_t>;
};

template <class T>
using range_value = std::iter_value_t<decltype(std::ranges::begin(std::declval<T&>()))>;

template <class T>
concept byte_range = forward_range<const T> && requires(const T& range) {
  { std::ranges::data(range) } -> std::convertible_to<const std::byte*>;
  { std::ranges::size(range) } -> std::convertible_to<std::size_t>;
};

template <class T>
concept map_like = requires { typename T::mapped_type; } && requires(const range_value<T>& element) {
  element.first;
  element.second;
};

template <class T>
concept set_like = !map_like<T> && requires { typename T::key_type; };

template <class T>
concept tuple_like = requires { std::tuple_size<T>::value; };

/// std::stack, queue and priority_queue.
template <class T>
concept container_adaptor = std::is_class_v<T> && !std::is_final_v<T> && requires(const T& value) {
  typename T::container_type;
  typename T::container_type::value_type;
  { value.empty() } -> std::same_as<bool>;
  value.size();
};

/// The container inside, which is a protected member by the standard.
template <class T>
const auto& adapted(const T& adaptor) {
  struct opened : T {
    static const typename T::container_type& of(const T& adaptor) { return adaptor.*&opened::c; }
  };
  return opened::of(adaptor);
}

template <class T>
concept text_convertible = std::is_class_v<T> && std::convertible_to<const T&, std::string_view>;

template <class T>
concept complete_object = !std::is_void_v<T> && !std::is_function_v<T> && requires { sizeof(T); };

}  // namespace detail
}  // namespace quarq
