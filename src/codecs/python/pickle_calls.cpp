#include "codecs/python/pickle_calls.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "codecs/utf8.hpp"

namespace quarq::codecs::python {

namespace {

constexpr std::size_t max_shown_name = 60;  // of a name within a message

bool is_text(const python_value& value) noexcept {
  return value.kind == value_kind::text;
}

bool is_bytes(const python_value& value) noexcept {
  return value.kind == value_kind::bytes || value.kind == value_kind::latin1;
}

bool is_sequence(const python_value& value) noexcept {
  return value.kind == value_kind::list || value.kind == value_kind::tuple || value.kind == value_kind::set;
}

/// Microseconds since midnight of the hour, minute and second, and three bytes of microseconds.
std::optional<std::int64_t> clock_of(const unsigned char* bytes) noexcept {
  const std::int64_t us = bytes[3] << 16 | bytes[4] << 8 | bytes[5];
  if (bytes[0] > 23 || bytes[1] > 59 || bytes[2] > 59 || us >= us_per_second) return std::nullopt;
  return (bytes[0] * 3600 + bytes[1] * 60 + bytes[2]) * us_per_second + us;
}

/// Days since 1970-01-01 of two bytes of year, and month and day.
std::optional<std::int64_t> days_of(const unsigned char* bytes) noexcept {
  const std::chrono::year_month_day date{std::chrono::year(bytes[0] << 8 | bytes[1]),
                                         std::chrono::month(bytes[2]), std::chrono::day(bytes[3])};
  if (!date.ok() || date.year() < std::chrono::year(1) || date.year() > std::chrono::year(9999))
    return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

/// Python keeps fold in the highest bit of a byte that has it to spare.
bool take_fold(unsigned char& byte) noexcept {
  const bool fold = (byte & 0x80) != 0;
  byte &= 0x7f;
  return fold;
}

}  // namespace

/// Of a call; nothing here takes more than three.
struct pickle_calls::arguments {
  explicit arguments(const python_values& values, value_ref tuple) : all(values) {
    const python_value& given = values[tuple];
    count = given.count;
    if (count > refs.size()) return;
    std::size_t next = 0;
    values.for_each_element(given, [&](value_ref element) { refs[next++] = element; });
  }
  const python_value& operator[](std::size_t index) const { return all[refs[index]]; }
  bool is(std::size_t index, value_kind kind) const { return count > index && all[refs[index]].kind == kind; }

  const python_values& all;
  std::size_t count = 0;
  std::array<value_ref, 3> refs{};
};

std::string pickle_calls::name_of(const python_value& callable) const {
  const auto& global = values_.names[callable.name];
  return printable(global.module, max_shown_name) + '.' + printable(global.name, max_shown_name);
}

void pickle_calls::fail_arguments(const python_value& callable) const {
  fail(name_of(callable) + " with other arguments than Python pickles it with");
}

value_ref pickle_calls::global(std::string_view module, std::string_view name) {
  python_value result = made(value_kind::class_);
  const python_name known = find_python_name(module, name);
  result.name = static_cast<std::uint32_t>(values_.names.size());
  result.count = static_cast<std::uint32_t>(known);
  values_.names.push_back({module, name});
  if (known == python_name::unknown && !lenient_) fail("unknown global " + name_of(result));
  return values_.add(result);
}

python_value pickle_calls::made(value_kind kind) const {
  python_value result;
  result.kind = kind;
  result.position = position_;
  return result;
}

bool pickle_calls::names(value_ref value, python_name name) const {
  const python_value& class_ = values_[value];
  return class_.kind == value_kind::class_ && class_.count == static_cast<std::uint32_t>(name);
}

value_ref pickle_calls::call(value_ref callable, value_ref arguments_tuple) {
  const python_value called = values_[callable];
  if (called.kind != value_kind::class_) fail(std::string(to_string(called.kind)) + " is called");
  if (values_[arguments_tuple].kind != value_kind::tuple)
    fail("the arguments of " + name_of(called) + " are " +
         std::string(to_string(values_[arguments_tuple].kind)) + ", not a tuple");
  const auto name = static_cast<python_name>(called.count);
  if (name == python_name::exception || name == python_name::unknown)
    return exception(callable, arguments_tuple);
  const arguments given(values_, arguments_tuple);
  python_value result = made(value_kind::none);
  if (given.count > given.refs.size() || !make_value(name, given, result)) fail_arguments(called);
  return values_.add(result);
}

value_ref pickle_calls::exception(value_ref class_, value_ref arguments_tuple) {
  python_value result = made(value_kind::exception);
  result.other = class_;
  result.arguments = arguments_tuple;
  return values_.add(result);
}

bool pickle_calls::make_value(python_name name, const arguments& given, python_value& result) {
  switch (name) {
    case python_name::bytes:
    case python_name::bytearray:
    case python_name::encode:
    case python_name::decimal:
      return make_text(name, given, result);
    case python_name::set:
    case python_name::frozenset:
    case python_name::ordered_dict:
    case python_name::default_dict:
      return make_container(name, given, result);
    case python_name::getattr:
      if (given.count != 2 || !names(given.refs[0], python_name::zone_info) || !is_text(given[1]) ||
          given[1].chars() != "_unpickle")
        return false;
      result = values_[global("zoneinfo", "ZoneInfo._unpickle")];
      return true;
    case python_name::uuid:
      result.kind = value_kind::uuid;  // build() brings its number
      return given.count == 0;
    case python_name::reconstructor:
      return make_instance(given, result);
    default:
      return make_moment(name, given, result);
  }
}

/// An instance before protocol 2: of a class, by way of object.
bool pickle_calls::make_instance(const arguments& given, python_value& result) {
  if (given.count != 3 || !names(given.refs[1], python_name::object)) return false;
  if (lenient_ && names(given.refs[0], python_name::unknown)) {
    python_value none = made(value_kind::tuple);
    result.kind = value_kind::exception;
    result.other = given.refs[0];
    result.arguments = values_.add(none);
    return true;
  }
  result.kind = value_kind::uuid;
  return names(given.refs[0], python_name::uuid);
}

/// What is text or bytes already is shared, never copied: a pickle could ask for that again and again.
bool pickle_calls::make_text(python_name name, const arguments& given, python_value& result) {
  if (name == python_name::decimal) {
    if (given.count != 1 || !is_text(given[0])) return false;
    result = given[0];
    result.kind = value_kind::decimal;
  } else if (name == python_name::encode || (name == python_name::bytearray && given.count == 2)) {
    const bool latin1 = given.count == 2 && is_text(given[0]) && is_text(given[1]) &&
                        (given[1].chars() == "latin1" || given[1].chars() == "latin-1");
    if (!latin1) return false;
    result = given[0];
    result.kind = value_kind::latin1;
  } else if (given.count == 0) {
    result.kind = value_kind::bytes;
    result.data = "";
  } else {
    if (given.count != 1 || !is_bytes(given[0])) return false;
    result = given[0];
  }
  result.position = position_;
  return true;
}

bool pickle_calls::make_container(python_name name, const arguments& given, python_value& result) {
  if (name == python_name::ordered_dict || name == python_name::default_dict) {
    // The factory of a defaultdict, a class or None, means nothing to who reads what is in it.
    const bool factory = name == python_name::default_dict && given.count == 1 &&
                         (given.is(0, value_kind::class_) || given.is(0, value_kind::none));
    result.kind = value_kind::dict;
    return given.count == 0 || factory;
  }
  if (given.count > 1 || (given.count == 1 && !is_sequence(given[0]))) return false;
  if (given.count == 1) result = given[0];  // the same elements, up to here
  result.kind = value_kind::set;
  result.flag = true;
  result.open = false;
  result.position = position_;
  return true;
}

bool pickle_calls::make_moment(python_name name, const arguments& given, python_value& result) {
  switch (name) {
    case python_name::datetime:
      return make_datetime(given, result);
    case python_name::date:
      return make_date(given, result);
    case python_name::time:
      return make_time(given, result);
    case python_name::timedelta:
      return make_timedelta(given, result);
    case python_name::timezone:
      return make_zone(given, result);
    case python_name::zone_info_unpickle:
      if (given.count == 0 || !is_text(given[0])) return false;
      result.kind = value_kind::named_zone;
      result.other = given.refs[0];
      return true;
    default:
      return false;
  }
}

/// Exactly that many bytes, which before protocol 3 are text.
template <std::size_t Size>
bool pickle_calls::octets(value_ref ref, std::array<unsigned char, Size>& bytes) const {
  const python_value& value = values_[ref];
  if (value.count > 2 * Size || !(is_bytes(value) || is_text(value))) return false;
  const auto found =
      value.kind == value_kind::bytes ? std::string(value.chars()) : from_latin1(value.chars());
  if (!found || found->size() != Size) return false;
  std::copy(found->begin(), found->end(), bytes.begin());
  return true;
}

bool pickle_calls::zone_of(const arguments& given, std::size_t index, python_value& result) const {
  if (given.count <= index || given.is(index, value_kind::none)) return given.count <= index + 1;
  result.other = given.refs[index];
  return given.is(index, value_kind::fixed_zone) || given.is(index, value_kind::named_zone);
}

bool pickle_calls::make_date(const arguments& given, python_value& result) {
  std::array<unsigned char, 4> bytes;
  if (given.count != 1 || !octets(given.refs[0], bytes)) return false;
  const auto days = days_of(bytes.data());
  result.kind = value_kind::date;
  result.number = days.value_or(0);
  return days.has_value();
}

bool pickle_calls::make_datetime(const arguments& given, python_value& result) {
  std::array<unsigned char, 10> bytes;
  if (given.count == 0 || !octets(given.refs[0], bytes)) return false;
  result.kind = value_kind::datetime;
  result.flag = take_fold(bytes[2]);
  const auto days = days_of(bytes.data());
  const auto clock = clock_of(bytes.data() + 4);
  if (!days || !clock) return false;
  result.number = *days * us_per_day + *clock;
  return zone_of(given, 1, result);
}

bool pickle_calls::make_time(const arguments& given, python_value& result) {
  std::array<unsigned char, 6> bytes;
  if (given.count == 0 || !octets(given.refs[0], bytes)) return false;
  result.kind = value_kind::time;
  result.flag = take_fold(bytes[0]);
  const auto clock = clock_of(bytes.data());
  result.number = clock.value_or(0);
  return clock && zone_of(given, 1, result);
}

bool pickle_calls::make_timedelta(const arguments& given, python_value& result) {
  if (given.count != 3) return false;
  constexpr std::int64_t units[] = {us_per_day, us_per_second, 1};
  result.kind = value_kind::timedelta;
  for (std::size_t i = 0; i < 3; ++i) {
    std::int64_t part = 0;
    if (!given.is(i, value_kind::integer)) return false;
    if (__builtin_mul_overflow(given[i].number, units[i], &part) ||
        __builtin_add_overflow(result.number, part, &result.number))
      fail("a timedelta is too far from zero: 2^63 nanoseconds, 292 years, is the most");
  }
  return true;
}

bool pickle_calls::make_zone(const arguments& given, python_value& result) {
  if (given.count == 0 || given.count > 2 || !given.is(0, value_kind::timedelta)) return false;
  result.kind = value_kind::fixed_zone;
  result.number = given[0].number;
  return result.number > -us_per_day && result.number < us_per_day;
}

void pickle_calls::build(value_ref object, value_ref state) {
  python_value& built = values_[object];
  if (built.kind == value_kind::exception) return;  // its type and arguments say it all
  const python_value& members = values_[state];
  constexpr std::size_t max = 8;  // keys and values; a UUID has "int", and maybe "is_safe"
  if (built.kind != value_kind::uuid || members.kind != value_kind::dict || members.count > max)
    fail(std::string(to_string(built.kind)) + " is given members that it does not have");
  value_ref key = no_value;
  values_.for_each_element(members, [&](value_ref element) {
    if (key == no_value) {
      key = element;
      return;
    }
    if (is_text(values_[key]) && values_[key].chars() == "int") built.other = element;
    key = no_value;
  });
}

}  // namespace quarq::codecs::python
