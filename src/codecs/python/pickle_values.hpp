// What a pickle holds while it is read: values in one array, referring to each other by their place in it, as
// pickles share values and may even let one contain itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/python/pickle.hpp"

namespace quarq::codecs::python {

inline constexpr std::int64_t us_per_second = 1'000'000;
inline constexpr std::int64_t us_per_day = 86'400 * us_per_second;

/// A value's place in python_values.
using value_ref = std::uint32_t;
inline constexpr value_ref no_value = UINT32_MAX;

enum class value_kind : std::uint8_t {
  none,
  boolean,
  integer,
  unsigned_integer,  // beyond 2^63
  long_bytes,        // an integer beyond 64 bits: little-endian two's complement
  long_digits,       // the same as decimal text
  real,
  text,
  bytes,
  latin1,  // bytes, given as text of the characters U+0000 to U+00FF
  list,
  tuple,
  set,
  dict,  // elements are keys and values in turn
  datetime,
  date,
  time,
  timedelta,
  fixed_zone,
  named_zone,
  uuid,
  decimal,
  exception,
  class_,
};

/// "None", "a list": the words of error messages.
std::string_view to_string(value_kind kind) noexcept;

struct python_value {
  value_kind kind = value_kind::none;
  bool flag = false;  // true; the second time that clocks show this (fold); no more elements (sealed)
  bool open = false;  // is being written: met again, it contains itself
  std::uint32_t position = 0;  // of the opcode that made it
  std::uint32_t count = 0;     // bytes of text and the like; elements
  value_ref other = no_value;  // the zone of a datetime, the class of an exception, the integer of a UUID
  struct span {
    std::uint32_t first, last;  // links
  };
  union {
    std::int64_t number = 0;  // microseconds of times, days of a date
    std::uint64_t unsigned_number;
    double real;
    const char* data;
    span elements;
    value_ref arguments;  // a tuple
    std::uint32_t name;   // in names
  };

  std::string_view chars() const noexcept { return {data, count}; }
};
static_assert(sizeof(python_value) <= 24);

/// Values whose text is in `data` are good as long as what was read is.
struct python_values {
  struct link {
    value_ref value;
    std::uint32_t next;
  };
  struct global_name {
    std::string_view module, name;
  };

  /// None, False and True are there from the beginning.
  static constexpr value_ref none = 0, false_ = 1, true_ = 2;

  void clear();
  value_ref add(const python_value& value);
  void append(value_ref container, value_ref element);
  python_value& operator[](value_ref ref) noexcept { return values[ref]; }
  const python_value& operator[](value_ref ref) const noexcept { return values[ref]; }

  template <class Work>
  void for_each_element(const python_value& container, Work work) const {
    std::uint32_t at = container.elements.first;
    for (std::uint32_t i = 0; i < container.count; ++i, at = links[at].next) work(links[at].value);
  }

  std::vector<python_value> values;
  std::vector<link> links;
  std::vector<global_name> names;
  std::deque<std::string> unescaped;  // text that does not stand in the pickle as it is
};

/// The bytes that text of the characters U+0000 to U+00FF stands for; nothing if there are others.
std::optional<std::string> from_latin1(std::string_view text);

/// Throws decode_error: "WHAT: byte 17: message".
[[noreturn]] void fail_pickle(std::string_view what, std::size_t position, const std::string& message);

/// Appends one of the values as msgpack. `limit`: how many bytes that may be. Throws decode_error.
void write_msgpack(std::string& out, python_values& values, value_ref value, std::size_t limit,
                   std::string_view what, zone_offset_finder find_zone_offset);

}  // namespace quarq::codecs::python
