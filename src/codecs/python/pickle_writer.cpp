#include <array>
#include <bit>
#include <chrono>
#include <limits>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "codecs/python/pickle.hpp"
#include "codecs/python/pickle_names.hpp"
#include "codecs/utf8.hpp"

namespace quarq::codecs::python {

namespace {

/// Ten bytes of a datetime; nothing beyond the years that Python has.
std::optional<std::array<char, 10>> datetime_bytes(timestamp moment) {
  constexpr std::int64_t first = -62135596800, last = 253402300799;  // of the years 1 and 9999
  if (moment.seconds < first || moment.seconds > last) return std::nullopt;
  const std::chrono::sys_seconds at{std::chrono::seconds(moment.seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(at - day);
  const int year = static_cast<int>(date.year());
  const std::uint32_t us = moment.nanoseconds / 1000;
  return std::array<char, 10>{static_cast<char>(year >> 8),
                              static_cast<char>(year),
                              static_cast<char>(static_cast<unsigned>(date.month())),
                              static_cast<char>(static_cast<unsigned>(date.day())),
                              static_cast<char>(clock.hours().count()),
                              static_cast<char>(clock.minutes().count()),
                              static_cast<char>(clock.seconds().count()),
                              static_cast<char>(us >> 16),
                              static_cast<char>(us >> 8),
                              static_cast<char>(us)};
}

}  // namespace

pickle_writer::pickle_writer(std::string& out) : out_(out) {
  out_ += "\x80\x04";
}

pickle_writer::pickle_writer(std::string& out, std::string_view open_dict) : out_(out) {
  out_ += open_dict;
  out_ += '(';
}

template <std::size_t Bytes>
void pickle_writer::little_endian(std::uint64_t value) {
  char buffer[Bytes];
  for (std::size_t i = 0; i < Bytes; ++i) buffer[i] = static_cast<char>(value >> (8 * i));
  out_.append(buffer, Bytes);
}

void pickle_writer::none() {
  out_ += 'N';
}

void pickle_writer::boolean(bool value) {
  out_ += value ? '\x88' : '\x89';
}

void pickle_writer::integer(std::int64_t value) {
  if (value >= 0) {
    unsigned_integer(static_cast<std::uint64_t>(value));
  } else if (value >= std::numeric_limits<std::int32_t>::min()) {
    out_ += 'J';
    little_endian<4>(static_cast<std::uint64_t>(value));
  } else {
    out_ += "\x8a\x08";
    little_endian<8>(static_cast<std::uint64_t>(value));
  }
}

void pickle_writer::unsigned_integer(std::uint64_t value) {
  if (value <= 0xff) {
    out_ += 'K';
    little_endian<1>(value);
  } else if (value <= 0xffff) {
    out_ += 'M';
    little_endian<2>(value);
  } else if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max())) {
    out_ += 'J';
    little_endian<4>(value);
  } else {
    const int size = static_cast<int>(std::bit_width(value)) / 8 + 1;  // with a bit for the sign
    out_ += '\x8a';
    out_ += static_cast<char>(size);
    for (int i = 0; i < size; ++i) out_ += i < 8 ? static_cast<char>(value >> (8 * i)) : '\0';
  }
}

void pickle_writer::real(double value) {
  out_ += 'G';
  little_endian<8>(__builtin_bswap64(std::bit_cast<std::uint64_t>(value)));
}

void pickle_writer::sized(std::string_view value, char head8, char head32, char head64) {
  if (value.size() <= 0xff) {
    out_ += head8;
    little_endian<1>(value.size());
  } else if (value.size() <= 0xffffffff) {
    out_ += head32;
    little_endian<4>(value.size());
  } else {
    out_ += head64;
    little_endian<8>(value.size());
  }
  out_ += value;
}

void pickle_writer::text(std::string_view value) {
  const std::size_t good = valid_utf8_prefix(value);
  if (good != value.size())
    throw usage_error("text has to be UTF-8, and \"" + codecs::printable(value, 40) +
                      "\" is not, from byte " + std::to_string(good) + " on");
  sized(value, '\x8c', 'X', '\x8d');
}

void pickle_writer::binary(std::string_view value) {
  sized(value, 'C', 'B', '\x8e');
}

void pickle_writer::global(std::string_view module, std::string_view name) {
  out_ += 'c';
  ((out_ += module) += '\n') += name;
  out_ += '\n';
}

/// datetime(ten bytes, timezone(timedelta(0, 0, 0)))
void pickle_writer::time(timestamp value) {
  const auto bytes = datetime_bytes(value);
  if (!bytes)
    throw usage_error("the moment " + std::to_string(value.seconds) +
                      " seconds after 1970 is beyond the years 1 to 9999 that Python has");
  global("datetime", "datetime");
  binary({bytes->data(), bytes->size()});
  global("datetime", "timezone");
  global("datetime", "timedelta");
  for (int i = 0; i < 3; ++i) unsigned_integer(0);
  out_ += "\x87R\x85R\x86R";
}

void pickle_writer::begin_tuple() {
  out_ += '(';
}

void pickle_writer::end_tuple() {
  out_ += 't';
}

void pickle_writer::begin_list() {
  out_ += "](";
}

void pickle_writer::end_list() {
  out_ += 'e';
}

void pickle_writer::begin_dict() {
  out_ += "}(";
}

void pickle_writer::end_dict() {
  out_ += 'u';
}

void pickle_writer::finish() {
  out_ += '.';
}

void pickle_writer::exception(std::string_view type, std::string_view message) {
  python_class found = exception_for(type);
  std::string text_given;
  if (found.name.empty()) {
    found = {"builtins", "RuntimeError"};
    text_given = to_utf8(type);
    if (!type.empty() && !message.empty()) text_given += ": ";
  }
  text_given += to_utf8(message);
  global(found.module, found.name);
  if (found.takes_message && !text_given.empty()) {
    text(text_given);
    out_ += "\x85R";
  } else {
    out_ += ")R";
  }
}

/// Reads msgpack and writes each value as it comes.
class pickle_writer::transcoder {
 public:
  transcoder(pickle_writer& out, std::string_view data, std::string_view what) : out_(out), in_(data, what) {}

  void whole() {
    value(false);
    in_.finish();
  }

  void whole_as_tuple() {
    if (in_.peek() != value_type::array) in_.fail_expected("array");
    array(true, false);
    in_.finish();
  }

 private:
  void value(bool is_key) {
    switch (in_.peek()) {
      case value_type::nil:
        in_.nil();
        return out_.none();
      case value_type::boolean:
        return out_.boolean(in_.boolean());
      case value_type::integer:
        return integer();
      case value_type::real:
        return out_.real(in_.real());
      case value_type::text:
        return out_.text(in_.text());
      case value_type::binary:
        return out_.binary(in_.binary());
      case value_type::array:
        return array(is_key, is_key);
      case value_type::map:
        if (is_key) in_.fail("a map can't be a key of Python's dict");
        return map();
      case value_type::timestamp:
        return time();
      case value_type::extension:
        in_.fail("an extension of type " + std::to_string(in_.extension().type) +
                 " has no counterpart in Python");
    }
  }

  void integer() {
    const std::string_view encoded = in_.raw();
    const auto first = static_cast<unsigned char>(encoded[0]);
    const bool is_signed = first >= 0xd0;
    decoder number(encoded);
    if (is_signed) {
      out_.integer(number.integer());
    } else {
      out_.unsigned_integer(number.unsigned_integer());
    }
  }

  /// A list can't be a key, but a tuple can.
  void array(bool as_tuple, bool within_key) {
    const std::size_t count = in_.array();
    decoder::scope place(in_);
    if (count == 0) {
      out_.out_ += as_tuple ? ')' : ']';
      return;
    }
    as_tuple ? out_.begin_tuple() : out_.begin_list();
    for (std::size_t i = 0; i < count; ++i) {
      place.element(i);
      value(within_key);
    }
    as_tuple ? out_.end_tuple() : out_.end_list();
  }

  void map() {
    const std::size_t count = in_.map();
    decoder::scope place(in_);
    if (count == 0) {
      out_.out_ += '}';
      return;
    }
    out_.begin_dict();
    for (std::size_t i = 0; i < count; ++i) {
      place.key(i + 1);
      value(true);
      value(false);
    }
    out_.end_dict();
  }

  void time() {
    const timestamp moment = in_.time();
    try {
      out_.time(moment);
    } catch (const usage_error& error) {
      in_.fail(error.what());
    }
  }

  pickle_writer& out_;
  decoder in_;
};

void pickle_writer::msgpack(std::string_view value, std::string_view what) {
  transcoder(*this, value, what).whole();
}

void pickle_writer::msgpack_as_tuple(std::string_view array, std::string_view what) {
  transcoder(*this, array, what).whole_as_tuple();
}

std::string msgpack_to_pickle(std::string_view value, std::string_view what) {
  std::string out;
  pickle_writer writer(out);
  writer.msgpack(value, what);
  writer.finish();
  return out;
}

}  // namespace quarq::codecs::python
