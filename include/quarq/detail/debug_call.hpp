// What QUARQ_DEBUG expands to. Included by <quarq/debug.hpp>.
#pragma once

#include <array>
#include <source_location>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <quarq/detail/pretty_output.hpp>
#include <quarq/detail/pretty_show.hpp>

/// Whether the last of the expressions is an lvalue or an xvalue. (Only the category is asked for: a lambda
/// expression in here has another type than the same one elsewhere.)
#define QUARQ_DETAIL_IS_REFERENCE(...) ::std::is_reference_v<decltype((__VA_ARGS__))>

namespace quarq::detail {

/// The bytes of a text, or the elements of a container.
template <class T>
std::size_t count_of(const void* value) {
  const T& range = *static_cast<const T*>(value);
  if constexpr (string_like<T> || byte_range<T>) {
    return static_cast<std::size_t>(std::ranges::size(range)) * sizeof(*std::ranges::data(range));
  } else {
    return static_cast<std::size_t>(std::ranges::size(range));
  }
}

template <class Formatting, class T>
debug_argument argument_of(const T& value) noexcept {
  debug_argument made{place_of(value), &show_erased<Formatting, T>, type_text<T>(), sizeof(void*)};
  if constexpr (!std::is_function_v<T>) made.size = sizeof(T);
  if constexpr (!debug_hidden<T> && !std::is_array_v<T> && !path_like<T> && (string_like<T> || sized<T>)) {
    made.count = &count_of<T>;
    if constexpr (!string_like<T> && !byte_range<T>) made.counted = debug_argument::unit::elements;
  }
  return made;
}

/// The arguments are references. A constructor that is called with braces gets them evaluated from left to
/// right.
template <class Formatting, class... Arguments>
class debug_call {
 public:
  constexpr debug_call(const std::source_location& place, const char* expressions, Arguments... arguments)
      : arguments_(static_cast<Arguments>(arguments)...) {
    if (std::is_constant_evaluated()) return;
    print(place, expressions, arguments...);
  }

  constexpr const std::tuple<Arguments...>& arguments() const noexcept { return arguments_; }

 private:
  static void print(const std::source_location& place, const char* expressions,
                    const std::remove_reference_t<Arguments>&... arguments) {
    const std::array<debug_argument, sizeof...(Arguments)> all{argument_of<Formatting>(arguments)...};
    print_debug(place, expressions, all.data(), all.size());
  }

  std::tuple<Arguments...> arguments_;
};

template <class... Arguments>
debug_call(const std::source_location&, const char*, Arguments&&...)
    -> debug_call<formatting, Arguments&&...>;

/// The same with QUARQ_NO_DEBUG.
template <class... Arguments>
class silent_call {
 public:
  explicit constexpr silent_call(Arguments... arguments) noexcept
      : arguments_(static_cast<Arguments>(arguments)...) {}

  constexpr const std::tuple<Arguments...>& arguments() const noexcept { return arguments_; }

 private:
  std::tuple<Arguments...> arguments_;
};

template <class... Arguments>
silent_call(Arguments&&...) -> silent_call<Arguments&&...>;

/// The last argument: itself, or a value that is made of it if the expression was a prvalue.
template <bool IsReference, class Call>
constexpr decltype(auto) last_of(const Call& call) {
  using arguments = std::remove_cvref_t<decltype(call.arguments())>;
  constexpr std::size_t last = std::tuple_size_v<arguments> - 1;
  using reference = std::tuple_element_t<last, arguments>;
  using value = std::remove_reference_t<reference>;
  if constexpr (IsReference || !std::is_constructible_v<value, reference> || std::is_array_v<value>) {
    return static_cast<reference>(std::get<last>(call.arguments()));
  } else {
    return static_cast<value>(static_cast<reference>(std::get<last>(call.arguments())));
  }
}

}  // namespace quarq::detail
