// Codecs of numbers, bool, text, bytes and time. Included by <quarq/codec.hpp>.
#pragma once

#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <ratio>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <quarq/codec.hpp>
#include <quarq/detail/duration.hpp>

namespace quarq {

template <>
struct codec<bool> {
  static void encode(encoder& out, bool value) { out.boolean(value); }
  static bool decode(decoder& in) { return in.boolean(); }
};

/// Integers; a value that does not fit is refused: "expected integer from 0 to 255, got 300".
template <std::integral T>
  requires (sizeof(T) <= sizeof(std::int64_t))
struct codec<T> {
  static void encode(encoder& out, T value) {
    if constexpr (std::signed_integral<T>) {
      out.integer(value);
    } else {
      out.unsigned_integer(value);
    }
  }
  static T decode(decoder& in) {
    if constexpr (std::signed_integral<T>) {
      return static_cast<T>(in.integer(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
    } else {
      return static_cast<T>(in.unsigned_integer(std::numeric_limits<T>::max()));
    }
  }
};

template <>
struct codec<double> {
  static void encode(encoder& out, double value) { out.real(value); }
  static double decode(decoder& in) { return in.real(); }
};

namespace detail {

float decode_float(decoder& in);

}  // namespace detail

/// Numbers with more digits than a float has are rounded; those beyond its range are refused.
template <>
struct codec<float> {
  static void encode(encoder& out, float value) { out.real(value); }
  static float decode(decoder& in) { return detail::decode_float(in); }
};

/// Text: UTF-8, on both sides.
template <>
struct codec<std::string> {
  static void encode(encoder& out, const std::string& value) { out.text(value); }
  static std::string decode(decoder& in) { return std::string(in.text()); }
};

template <>
struct codec<bytes> {
  static void encode(encoder& out, const bytes& value) { out.binary(as_chars(value)); }
  static bytes decode(decoder& in) { return to_bytes(in.binary()); }
};

/// A digest or a key: bytes of exactly that length.
template <std::size_t N>
struct codec<std::array<std::byte, N>> {
  static void encode(encoder& out, const std::array<std::byte, N>& value) {
    out.binary({reinterpret_cast<const char*>(value.data()), N});
  }
  static std::array<std::byte, N> decode(decoder& in) {
    const std::string_view data = in.binary();
    if (data.size() != N)
      in.fail("expected " + std::to_string(N) + " bytes, got " + std::to_string(data.size()));
    std::array<std::byte, N> value;
    for (std::size_t i = 0; i < N; ++i) value[i] = static_cast<std::byte>(data[i]);
    return value;
  }
};

template <>
struct codec<std::monostate> {
  static void encode(encoder& out, std::monostate) { out.nil(); }
  static std::monostate decode(decoder& in) {
    in.nil();
    return {};
  }
};

namespace detail {

enum class rounding { towards_zero, away_from_zero };

/// count * num / den; false if it does not fit.
constexpr bool rescale(std::int64_t& count, std::int64_t num, std::int64_t den,
                       rounding how = rounding::towards_zero) noexcept {
  const wide_integer exact = static_cast<wide_integer>(count) * num;
  wide_integer whole = exact / den;
  if (how == rounding::away_from_zero && exact % den != 0) whole += exact < 0 ? -1 : 1;
  count = static_cast<std::int64_t>(whole);
  return count == whole;
}

[[noreturn]] void fail_time_range();

}  // namespace detail

/// Durations travel as a whole number of nanoseconds, so that the two sides may use different units; digits
/// finer than the reader's unit are cut off. A unit that is no whole number of nanoseconds, such as 1/60 s, is
/// rounded away from zero on the way, so that a reader of the same unit gets the value that was written.
template <class Rep, class Period>
  requires std::is_arithmetic_v<Rep>
struct codec<std::chrono::duration<Rep, Period>> {
  using duration = std::chrono::duration<Rep, Period>;
  using unit = std::ratio_divide<Period, std::nano>;
  static_assert(std::floating_point<Rep> || unit::num >= unit::den,
                "quarq: a duration's unit must not be finer than a nanosecond");

  static void encode(encoder& out, const duration& value) {
    if constexpr (std::floating_point<Rep>) {
      const double count = static_cast<double>(value.count()) * unit::num / unit::den;
      if (!(std::abs(count) < 0x1p63)) detail::fail_time_range();
      out.integer(std::llround(count));
    } else {
      auto count = static_cast<std::int64_t>(value.count());
      if (!std::in_range<std::int64_t>(value.count()) ||
          !detail::rescale(count, unit::num, unit::den, detail::rounding::away_from_zero))
        detail::fail_time_range();
      out.integer(count);
    }
  }

  static duration decode(decoder& in) {
    const std::int64_t nanoseconds = in.integer();
    if constexpr (std::floating_point<Rep>) {
      return duration(static_cast<Rep>(static_cast<double>(nanoseconds) / unit::num * unit::den));
    } else {
      std::int64_t count = nanoseconds;
      if (!detail::rescale(count, unit::den, unit::num) || !std::in_range<Rep>(count))
        in.fail("a duration of " + std::to_string(nanoseconds) + " nanoseconds is out of range here");
      return duration(static_cast<Rep>(count));
    }
  }
};

/// Time points travel as msgpack timestamps; digits finer than the reader's unit are cut off, towards the
/// past. A unit that is no whole number of nanoseconds is rounded towards the future on the way.
template <class Duration>
  requires std::integral<typename Duration::rep>
struct codec<std::chrono::time_point<std::chrono::system_clock, Duration>> {
  using time_point = std::chrono::time_point<std::chrono::system_clock, Duration>;
  using per_second = std::ratio_divide<std::ratio<1>, typename Duration::period>;
  static constexpr std::int64_t ticks = per_second::num;    // of the unit in a second, when it is finer,
  static constexpr std::int64_t seconds = per_second::den;  // or seconds in the unit
  static_assert(
      (ticks == 1 || seconds == 1) && ticks <= 1'000'000'000,
      "quarq: a time point's unit must be whole seconds, or a part of one no finer than a nanosecond");

  static void encode(encoder& out, const time_point& value) {
    const auto count = static_cast<std::int64_t>(value.time_since_epoch().count());
    const std::int64_t part = (count % ticks + ticks) % ticks;
    timestamp moment{count / ticks - (count % ticks < 0),
                     static_cast<std::uint32_t>((part * 1'000'000'000 + ticks - 1) / ticks)};
    if (!detail::rescale(moment.seconds, seconds, 1)) detail::fail_time_range();
    out.time(moment);
  }

  static time_point decode(decoder& in) {
    const timestamp moment = in.time();
    std::int64_t count = moment.seconds / seconds - (moment.seconds % seconds < 0);
    // A moment before 1970 is a second later on the way, so that the earliest one of all does not overflow.
    const std::int64_t carry = count < 0 ? 1 : 0;
    const std::int64_t part = moment.nanoseconds * ticks / 1'000'000'000;
    count += carry;
    if (!detail::rescale(count, ticks, 1) || __builtin_add_overflow(count, part - carry * ticks, &count) ||
        !std::in_range<typename Duration::rep>(count))
      in.fail("the moment " + std::to_string(moment.seconds) + " seconds after 1970 is out of range here");
    return time_point(Duration(static_cast<typename Duration::rep>(count)));
  }
};

}  // namespace quarq
