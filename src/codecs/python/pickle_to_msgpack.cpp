// The values of a pickle as msgpack.
#include <chrono>
#include <cstdio>
#include <limits>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "codecs/hex.hpp"
#include "codecs/python/pickle_names.hpp"
#include "codecs/python/pickle_values.hpp"
#include "codecs/utf8.hpp"

namespace quarq::codecs::python {

namespace {

constexpr int max_depth = 100;  // beyond what typed reading allows; what it skips may be deeper than that

struct split {
  std::int64_t whole;
  std::int64_t rest;  // from 0
};

constexpr split divide(std::int64_t value, std::int64_t by) noexcept {
  const std::int64_t rest = (value % by + by) % by;
  return {(value - rest) / by, rest};
}

/// HH:MM:SS, and the microseconds if there are any.
std::string clock_text(std::int64_t us_of_day) {
  const auto [seconds, us] = divide(us_of_day, us_per_second);
  const auto s = static_cast<int>(seconds);
  char text[40];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
  std::string out = text;
  if (us == 0) return out;
  std::snprintf(text, sizeof text, ".%06d", static_cast<int>(us));
  return out + text;
}

/// +HH:MM, and the seconds if there are any.
std::string offset_text(std::int64_t us) {
  const std::string clock = clock_text(us < 0 ? -us : us);
  return (us < 0 ? '-' : '+') + (clock.ends_with(":00") ? clock.substr(0, 5) : clock);
}

std::string date_text(std::int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

class msgpack_writer {
 public:
  msgpack_writer(std::string& text, python_values& values, std::size_t limit, std::string_view what,
                 zone_offset_finder find_zone_offset)
      : text_(text),
        out_(text),
        values_(values),
        end_(text.size() + limit),
        what_(what),
        find_zone_offset_(find_zone_offset) {}

  void write(value_ref ref) {
    python_value& value = values_[ref];
    if (text_.size() > end_) fail(value, "values that are repeated make it grow beyond all proportion");
    try {
      write(value);
    } catch (const usage_error& error) {
      fail(value, error.what());
    }
  }

 private:
  [[noreturn]] void fail(const python_value& value, const std::string& message) const {
    fail_pickle(what_, value.position, message);
  }

  void write(python_value& value) {
    switch (value.kind) {
      case value_kind::none:
        return out_.nil();
      case value_kind::boolean:
        return out_.boolean(value.flag);
      case value_kind::integer:
        return out_.integer(value.number);
      case value_kind::unsigned_integer:
        return out_.unsigned_integer(value.unsigned_number);
      case value_kind::real:
        return out_.real(value.real);
      case value_kind::text:
      case value_kind::decimal:
        return out_.text(value.chars());
      case value_kind::bytes:
        return out_.binary(value.chars());
      case value_kind::list:
      case value_kind::tuple:
      case value_kind::set:
      case value_kind::dict:
      case value_kind::exception:
        return container(value);
      default:
        return rarer(value);
    }
  }

  void rarer(const python_value& value) {
    switch (value.kind) {
      case value_kind::latin1:
        return latin1(value);
      case value_kind::datetime:
        return datetime(value);
      case value_kind::date:
        return out_.time({value.number * 86400, 0});
      case value_kind::time:
        return time(value);
      case value_kind::timedelta:
        return timedelta(value);
      case value_kind::uuid:
        return uuid(value);
      case value_kind::long_bytes:
        fail(value, "an int of " + std::to_string(value.count) + " bytes does not fit 64 bits");
      case value_kind::long_digits:
        fail(value, "the int " + printable(value.chars(), 24) + " does not fit 64 bits");
      case value_kind::class_:
        fail(value, "the class " + class_name(value) + " stands where a value should");
      default:
        fail(value, std::string(to_string(value.kind)) + " stands where a value should");
    }
  }

  void container(python_value& value) {
    if (value.open) fail(value, std::string(to_string(value.kind)) + " contains itself");
    if (depth_ == max_depth)
      fail(value, "values are nested deeper than " + std::to_string(max_depth) + " levels");
    ++depth_;
    value.open = true;
    if (value.kind == value_kind::exception) {
      exception(value);
    } else {
      if (value.kind == value_kind::dict) {
        out_.map(value.count / 2);
      } else {
        out_.array(value.count);
      }
      values_.for_each_element(value, [&](value_ref element) { write(element); });
    }
    value.open = false;
    --depth_;
  }

  void exception(const python_value& value) {
    out_.map(2);
    out_.text("$exception");
    out_.text(class_name(values_[value.other]));
    out_.text("args");
    write(value.arguments);
  }

  std::string class_name(const python_value& value) const {
    const auto& global = values_.names[value.name];
    return qualified_name(global.module, global.name);
  }

  void latin1(const python_value& value) {
    const auto data = from_latin1(value.chars());
    if (!data) fail(value, "bytes are given as text with characters beyond U+00FF");
    out_.binary(*data);
  }

  /// Without a zone nobody can say which moment it is, so it stays text.
  void datetime(const python_value& value) {
    if (value.other == no_value) {
      const auto [day, us] = divide(value.number, us_per_day);
      return out_.text(date_text(day) + 'T' + clock_text(us));
    }
    const auto [seconds, us] = divide(value.number - offset(value), us_per_second);
    out_.time({seconds, static_cast<std::uint32_t>(us * 1000)});
  }

  /// Microseconds east of Greenwich.
  std::int64_t offset(const python_value& moment) const {
    const python_value& zone = values_[moment.other];
    if (zone.kind == value_kind::fixed_zone) return zone.number;
    const std::string_view name = values_[zone.other].chars();
    for (const std::string_view utc :
         {"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu", "Etc/Zulu", "UCT", "Etc/UCT"})
      if (name == utc) return 0;
    std::optional<std::chrono::seconds> found;
    if (find_zone_offset_) {
      const std::chrono::seconds local(divide(moment.number, us_per_second).whole);
      found = find_zone_offset_(name, std::chrono::local_seconds(local), moment.flag);
    }
    if (!found) fail(zone, "the time zone \"" + printable(name, 40) + "\" is not known here");
    return found->count() * us_per_second;
  }

  void time(const python_value& value) {
    std::string text = clock_text(value.number);
    if (value.other != no_value && values_[value.other].kind == value_kind::fixed_zone)
      text += offset_text(values_[value.other].number);
    out_.text(text);
  }

  void timedelta(const python_value& value) {
    std::int64_t nanoseconds = 0;
    if (__builtin_mul_overflow(value.number, 1000, &nanoseconds))
      fail(value, "a timedelta is too far from zero: 2^63 nanoseconds, 292 years, is the most");
    out_.integer(nanoseconds);
  }

  void uuid(const python_value& value) {
    if (value.other == no_value) fail(value, "a UUID is without its number");
    const auto number = wide_number(values_[value.other]);
    if (!number) fail(value, "the number of a UUID is not one of 128 bits");
    std::string text;
    for (std::size_t i = 0; i < 16; ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
      append_hex(text, (*number)[15 - i], 2);
    }
    out_.text(text);
  }

  using wide = std::array<unsigned char, 16>;  // the lowest byte first

  /// An int from 0 to 2^128 - 1.
  static std::optional<wide> wide_number(const python_value& value) {
    wide number{};
    switch (value.kind) {
      case value_kind::integer:
      case value_kind::unsigned_integer:
        if (value.kind == value_kind::integer && value.number < 0) return std::nullopt;
        for (std::size_t i = 0; i < 8; ++i)
          number[i] = static_cast<unsigned char>((value.kind == value_kind::integer
                                                      ? static_cast<std::uint64_t>(value.number)
                                                      : value.unsigned_number) >>
                                                 (8 * i));
        return number;
      case value_kind::long_bytes: {
        const std::string_view data = value.chars();
        const bool negative = (data.back() & 0x80) != 0;
        if (negative || data.size() > 17 || (data.size() == 17 && data[16] != 0)) return std::nullopt;
        for (std::size_t i = 0; i < data.size() && i < 16; ++i)
          number[i] = static_cast<unsigned char>(data[i]);
        return number;
      }
      case value_kind::long_digits:
        return from_digits(value.chars());
      default:
        return std::nullopt;
    }
  }

  static std::optional<wide> from_digits(std::string_view digits) {
    wide number{};
    if (digits.starts_with('-') || digits.size() > 39) return std::nullopt;
    for (const char digit : digits) {
      unsigned carry = static_cast<unsigned>(digit - '0');
      for (unsigned char& byte : number) {
        carry += byte * 10u;
        byte = static_cast<unsigned char>(carry);
        carry >>= 8;
      }
      if (carry != 0) return std::nullopt;
    }
    return number;
  }

  std::string& text_;
  encoder out_;
  python_values& values_;
  std::size_t end_;
  std::string_view what_;
  zone_offset_finder find_zone_offset_;
  int depth_ = 0;
};

}  // namespace

void write_msgpack(std::string& out, python_values& values, value_ref value, std::size_t limit,
                   std::string_view what, zone_offset_finder find_zone_offset) {
  msgpack_writer(out, values, limit, what, find_zone_offset).write(value);
}

}  // namespace quarq::codecs::python
