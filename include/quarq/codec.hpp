// How C++ values travel: as msgpack, by their types. docs/payload.md says how each type is written.
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <quarq/bytes.hpp>
#include <quarq/msgpack.hpp>

namespace quarq {

/// How T is written and read; specialise it for your own types. quarq has it for arithmetic types, enums,
/// std::string, bytes, std::optional, vector, array, map, unordered_map, set, unordered_set, tuple, pair,
/// variant, monostate, chrono durations and system_clock time points, and for every struct described with
/// BOOST_DESCRIBE_STRUCT. For another type, write
///     template <>
///     struct quarq::codec<my_type> {
///       static void encode(quarq::encoder& out, const my_type& value);   // appends exactly one value
///       static my_type decode(quarq::decoder& in);                       // reads exactly one value
///     };
/// before its first use. It takes precedence over quarq's own.
template <class T>
struct codec;

/// A type that has a codec. For a described struct this does not look at its members: a member without a
/// codec is reported when the struct is first encoded or decoded.
template <class T>
concept codable = requires(encoder& out, decoder& in, const T& value) {
  codec<T>::encode(out, value);
  { codec<T>::decode(in) } -> std::same_as<T>;
};

/// Says in the compiler's output what to do about a type that has no codec.
#define QUARQ_REQUIRE_CODEC(T)                                                                           \
  static_assert(::quarq::codable<T>,                                                                     \
                "quarq: this type has no codec: describe it, beside its definition, with "               \
                "BOOST_DESCRIBE_STRUCT(type, (), (member, another_member)) of <boost/describe.hpp>, or " \
                "specialise quarq::codec (text is std::string, not std::string_view or const char*; "    \
                "other bytes are quarq::bytes)")

/// Appends `value` to `out`. Throws quarq::usage_error for a value that can't be written: text that is not
/// UTF-8, a duration beyond 292 years, an enumerator without a name, more than 64 levels of nesting.
template <class T>
void encode(encoder& out, const T& value) {
  QUARQ_REQUIRE_CODEC(T);
  if constexpr (codable<T>) codec<T>::encode(out, value);
}

/// Reads one T. Throws quarq::decode_error, which names the place of the error.
template <class T>
T decode(decoder& in) {
  QUARQ_REQUIRE_CODEC(T);
  if constexpr (codable<T>) {
    return codec<T>::decode(in);
  } else {
    std::terminate();  // never compiled: the assertion above has failed
  }
}

/// `value` as one msgpack value. Throws as encode does.
template <class T>
std::string to_msgpack(const T& value) {
  std::string out;
  encoder writer(out);
  quarq::encode(writer, value);
  return out;
}

/// nil: the result of a task that returns void.
inline std::string to_msgpack() {
  return "\xc0";
}

/// The T that `data` holds; data must be exactly one value. `what` begins the message of the
/// quarq::decode_error that is thrown otherwise: from_msgpack<int>(data, "result of count_words") throws
///     result of count_words: expected integer, got string
/// T = void accepts any one value.
template <class T>
T from_msgpack(std::string_view data, std::string_view what) {
  decoder in(data, what);
  if constexpr (std::is_void_v<T>) {
    in.skip();
    in.finish();
  } else {
    T value = quarq::decode<T>(in);
    in.finish();
    return value;
  }
}

/// The arguments of a call as one msgpack array. Throws as encode does.
template <class... Args>
std::string encode_arguments(const Args&... arguments) {
  std::string out;
  encoder writer(out);
  writer.array(sizeof...(Args));
  const encoder::scope level(writer);
  (quarq::encode(writer, arguments), ...);
  return out;
}

namespace detail {
/// `names` as decode_arguments below takes them.
template <class Tuple>
Tuple decode_arguments(decoder& in, std::span<const std::string_view> names);
}  // namespace detail

/// The arguments that encode_arguments wrote, as a std::tuple of their types. `task` is the task's name and
/// `names` its parameters' (as many as are known, from the first); they are only for the messages of
/// quarq::decode_error:
///     count_words: argument 1 (url): expected string, got integer
///     send_mail: argument 2 (options): field to[2].name: expected string, got nil
///     count_words: expected 1 argument, got 2
template <class Tuple>
Tuple decode_arguments(std::string_view data, std::string_view task,
                       std::span<const std::string_view> names = {}) {
  decoder in(data, task);
  auto arguments = detail::decode_arguments<Tuple>(in, names);
  in.finish();
  return arguments;
}

}  // namespace quarq

#include <quarq/detail/codec_arguments.hpp>
#include <quarq/detail/codec_described.hpp>
#include <quarq/detail/codec_scalars.hpp>
#include <quarq/detail/codec_standard.hpp>
