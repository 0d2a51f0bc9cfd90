// How a value of each type is shown. Included by <quarq/debug.hpp>.
#pragma once

#include <quarq/detail/pretty_composed.hpp>
#include <quarq/detail/pretty_kinds.hpp>
#include <quarq/detail/pretty_output.hpp>

namespace quarq::detail {

struct without_fmt {
  template <class T>
  static constexpr bool formats = false;
};

#ifdef FMT_VERSION
struct with_fmt {
  template <class T>
  struct is_formattable : fmt::is_formattable<const T> {};
  // Only of what has a formatter: to ask of an enum without one is deprecated.
  template <class T>
  static constexpr bool formats =
      std::conjunction_v<std::is_default_constructible<fmt::formatter<T, char>>, is_formattable<T>>;

  template <class T>
  static void append(std::string& out, const void* value) {
    fmt::format_to(std::back_inserter(out), "{}", *static_cast<const T*>(value));
  }
};
#endif

template <class Formatting, class T>
void show(pretty_output& out, const T& value);

template <class T>
const void* place_of(const T& value) noexcept {
  if constexpr (std::is_function_v<T>) {
    return reinterpret_cast<const void*>(&value);
  } else {
    // Whatever its operator& does.
    return const_cast<const char*>(&reinterpret_cast<const volatile char&>(value));
  }
}

template <class Formatting, class T>
void show_erased(pretty_output& out, const void* value) {
  if constexpr (std::is_function_v<T>) {
    out.address(value);
  } else {
    show<Formatting>(out, *static_cast<const T*>(value));
  }
}

template <class T>
void print_by_user(pretty_output& out, const void* value) {
  pretty_writer writer(out);
  pretty_printer<T>::print(writer, *static_cast<const T*>(value));
}

template <class T>
void stream_by_user(std::ostream& out, const void* value) {
  operator<<(out, *static_cast<const T*>(value));
}

template <class Formatting, class T>
void show_number(pretty_output& out, T value) {
  if constexpr (std::is_same_v<T, bool>) {
    out.boolean(value);
  } else if constexpr (std::is_same_v<T, char>) {
    out.character(value);
  } else if constexpr (character<T>) {
    constexpr std::string_view prefix = std::is_same_v<T, char8_t>    ? "u8"
                                        : std::is_same_v<T, char16_t> ? "u"
                                        : std::is_same_v<T, char32_t> ? "U"
                                                                      : "L";
    out.character(static_cast<char32_t>(value), prefix);
  } else if constexpr (std::is_floating_point_v<T>) {
    out.floating(value);
  } else if constexpr (std::is_signed_v<T>) {
    out.integer(static_cast<std::int64_t>(value));
  } else {
    out.integer(static_cast<std::uint64_t>(value));
  }
}

template <class Formatting, class T>
void show_enum(pretty_output& out, const T& value) {
  if constexpr (described_enum<T>) {
    if (const char* name = enumerator_name(value)) return out.enumerator(type_text<T>(), name);
    out.enumerator(type_text<T>(), static_cast<std::int64_t>(value));
  } else if constexpr (Formatting::template formats<T>) {
    out.formatted(place_of(value), &Formatting::template append<T>);
  } else {
    out.enumerator(type_text<T>(), static_cast<std::int64_t>(value));
  }
}

/// Its address, and the value if that is asked for.
template <class Formatting, class T>
void show_pointer(pretty_output& out, T* pointer, bool follow) {
  if (!pointer) return out.keyword("nullptr");
  if constexpr (std::is_function_v<T>) {
    out.address(place_of(*pointer));
  } else if constexpr (complete_object<T> && !std::is_volatile_v<T>) {
    out.address(pointer);
    if (!follow) return;
    out.faint(" -> ");
    if (!out.enter()) return;
    show<Formatting>(out, *pointer);
    out.leave();
  } else {
    out.address(pointer);
  }
}

template <class Formatting, class T>
void show_unknown(pretty_output& out, const T& value) {
  if constexpr (std::is_polymorphic_v<T>) {
    out.unknown(typeid(value), sizeof(T), place_of(value));
  } else {
    out.unknown(type_text<T>(), sizeof(T), place_of(value));
  }
}

/// Classes and unions.
template <class Formatting, class T>
void show_object(pretty_output& out, const T& value) {
  const void* const place = place_of(value);
  if constexpr (string_like<T> || path_like<T>) {
    show_text<Formatting>(out, value);
  } else if constexpr (duration_like<T> || time_point_like<T> || calendar_date<T>) {
    show_time<Formatting>(out, value);
  } else if constexpr (error_code_like<T>) {
    out.error_code(value.category().name(), value.value(), value.message());
  } else if constexpr (std::is_same_v<T, std::exception_ptr>) {
    out.exception(value);
  } else if constexpr (is_outcome<T> || expected_like<T> || optional_like<T> || variant_like<T>) {
    show_alternatives<Formatting>(out, value);
  } else if constexpr (smart_pointer<T>) {
    show_pointer<Formatting>(out, value.get(), requires { *value; });
  } else if constexpr (weak_pointer<T>) {
    if (value.expired()) return out.keyword("expired");
    show<Formatting>(out, value.lock());
  } else if constexpr (atomic_like<T>) {
    show<Formatting>(out, value.load());
  } else if constexpr (reference_like<T>) {
    show<Formatting>(out, value.get());
  } else if constexpr (streamable<T>) {
    out.streamed(place, &stream_by_user<T>);
  } else if constexpr (std::is_base_of_v<std::exception, T> &&
                       std::is_convertible_v<const T*, const std::exception*>) {
    out.exception(static_cast<const std::exception&>(value));
  } else if constexpr (byte_range<T>) {
    out.bytes(std::ranges::data(value), static_cast<std::size_t>(std::ranges::size(value)));
  } else if constexpr (!any_range<T> && !tuple_like<T> && Formatting::template formats<T>) {
    out.formatted(place, &Formatting::template append<T>);
  } else if constexpr (described_struct<T>) {
    show_described<Formatting>(out, value);
  } else if constexpr (forward_range<const T>) {
    show_range<Formatting>(out, value);
  } else if constexpr (caching_view<T>) {
    T copy = value;
    show_range<Formatting>(out, copy);
  } else if constexpr (tuple_like<T>) {
    show_tuple<Formatting>(out, value);
  } else if constexpr (container_adaptor<T>) {
    show<Formatting>(out, adapted(value));
  } else if constexpr (text_convertible<T>) {
    out.quoted(static_cast<std::string_view>(value));
  } else if constexpr (std::is_empty_v<T>) {
    show_described<Formatting>(out, value);
  } else {
    show_unknown<Formatting>(out, value);
  }
}

template <class Formatting, class T>
void show(pretty_output& out, const T& value) {
  if (!out.begin_value()) return;
  if constexpr (debug_hidden<T>) {
    out.hidden();
  } else if constexpr (custom_printed<T>) {
    out.guarded(place_of(value), &print_by_user<T>);
  } else if constexpr (std::is_volatile_v<T>) {
    if constexpr (std::is_scalar_v<T>) {
      show<Formatting>(out, static_cast<std::remove_volatile_t<T>>(value));
    } else {
      show_unknown<Formatting>(out, const_cast<const std::remove_volatile_t<T>&>(value));
    }
  } else if constexpr (std::is_arithmetic_v<T>) {
    show_number<Formatting>(out, value);
  } else if constexpr (std::is_null_pointer_v<T>) {
    out.keyword("nullptr");
  } else if constexpr (std::is_same_v<T, std::byte>) {
    out.byte(value);
  } else if constexpr (streamable<T> && std::is_enum_v<T>) {
    out.streamed(place_of(value), &stream_by_user<T>);
  } else if constexpr (std::is_enum_v<T>) {
    show_enum<Formatting>(out, value);
  } else if constexpr (std::is_function_v<T>) {
    out.address(place_of(value));
  } else if constexpr (one_of<T, char*, const char*>) {
    if (!value || !out.options().follow_pointers) return show_pointer<Formatting>(out, value, false);
    out.c_string(value);
  } else if constexpr (std::is_pointer_v<T>) {
    show_pointer<Formatting>(out, value, out.options().follow_pointers);
  } else if constexpr (std::is_array_v<T>) {
    show_array<Formatting>(out, value);
  } else if constexpr (std::is_class_v<T> || std::is_union_v<T>) {
    show_object<Formatting>(out, value);
  } else {
    show_unknown<Formatting>(out, value);
  }
}

template <class Formatting, class Value, class... Rest>
void show_fields(pretty_output& out, std::string_view name, const Value& value, const Rest&... rest) {
  out.field(name);
  show<Formatting>(out, value);
  if constexpr (sizeof...(rest) > 0) show_fields<Formatting>(out, rest...);
}

}  // namespace quarq::detail

namespace quarq {

template <class T, class Formatting>
void pretty_writer::value(const T& value) {
  detail::show<Formatting>(out_, value);
}

template <class Formatting, class... Fields>
void pretty_writer::object(std::string_view name, const Fields&... fields) {
  static_assert(sizeof...(Fields) % 2 == 0, "quarq: each field is its name and then its value");
  if (!out_.open(name, '{', '}')) return;
  if constexpr (sizeof...(Fields) > 0) detail::show_fields<Formatting>(out_, fields...);
  out_.close();
}

template <class T, class Formatting>
std::string format_pretty(const T& value, const pretty_options& options) {
  return detail::format_pretty(options, detail::place_of(value), &detail::show_erased<Formatting, T>);
}

}  // namespace quarq
