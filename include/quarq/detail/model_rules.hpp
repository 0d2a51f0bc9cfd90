// What a model asks of a value, without the value's type: the constants that the engine of src/validation reads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <quarq/detail/at_least_cpp20.hpp>
#include <quarq/detail/duration.hpp>

namespace quarq {

/// What a text may have to be. Lengths and characters are those of the text as it came.
enum class text_format : unsigned char {
  none,
  email,      ///< local@domain, as HTML's <input type=email> takes it, with a dot in the domain
  url,        ///< scheme://host…, without spaces and control characters
  uuid,       ///< 8-4-4-4-12 hexadecimal digits
  date_time,  ///< RFC 3339 with a zone: 2026-11-29T12:00:00.5Z
  date,       ///< 2026-11-29, a day of the calendar
  time,       ///< RFC 3339 with a zone: 12:00:00+01:00
  ipv4,
  ipv6,
  hostname,  ///< RFC 1123: labels of 1 to 63 letters, digits and hyphens, 253 in all
};

/// What becomes of a member's name that the model does not know.
enum class extra_fields : unsigned char {
  ignore,  ///< skipped, whatever it holds: what codecs do, and the default
  forbid,  ///< an error, extra_forbidden
};

namespace validation {

using wide_integer = quarq::detail::wide_integer;

/// One end of a range. A model of an integer sets `whole`, one of a real number `real`.
struct bound {
  bool is_set = false;
  bool exclusive = false;
  wide_integer whole = 0;
  double real = 0;
};

inline constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
inline constexpr std::size_t max_checks = 4;

/// Calls a function of the user for the value: empty, or what is wrong with it.
using check_function = std::string (*)(const void* value);

/// What one value must be, besides its type.
struct value_rules {
  bound low, high;
  bound multiple;
  std::size_t min_length = 0;
  std::size_t max_length = no_limit;
  std::string_view pattern = {};
  text_format format = text_format::none;
  bool unique = false;
  bool allow_nan = false;
  bool strict = false;  ///< text is not converted, whatever the input is
  bool lax = false;     ///< text is converted, whatever the input is
  /// Whether anything above is asked for, or a check below: most values are not asked anything.
  bool any = false;
  std::size_t check_count = 0;
  std::array<check_function, max_checks> checks{};
};

/// Those of a member: of its value, and of each element if it has any.
struct rules : value_rules {
  value_rules each;
  std::string_view alias = {};
  bool defaulted = false;
  std::string_view title = {};
};

/// Those of a member that a model says nothing about.
inline constexpr rules no_rules{};

/// One field() or each() of a model.
struct field_rules {
  std::size_t member = 0;  ///< its index among the described members
  bool of_elements = false;
  rules what;
};

}  // namespace validation
}  // namespace quarq
