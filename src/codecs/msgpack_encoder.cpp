#include <algorithm>
#include <bit>
#include <cstring>

#include <boost/endian/conversion.hpp>

#include <quarq/detail/attachments.hpp>
#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "codecs/utf8.hpp"

namespace quarq {

namespace {

template <class Unsigned>
void put_big_endian(char* to, Unsigned value) {
  boost::endian::native_to_big_inplace(value);
  std::memcpy(to, &value, sizeof value);
}

}  // namespace

template <class Unsigned>
void encoder::put(Unsigned value) {
  char buffer[sizeof value];
  put_big_endian(buffer, value);
  out_.append(buffer, sizeof buffer);
}

template <class Unsigned>
void encoder::head(unsigned char first, Unsigned value) {
  char buffer[1 + sizeof value];
  buffer[0] = static_cast<char>(first);
  put_big_endian(buffer + 1, value);
  out_.append(buffer, sizeof buffer);
}

/// `fixed` carries counts below `fixed_count` in itself; `head8` and `head16` say that 8 or 16 bits of length
/// follow (0: there is no such form), and the byte after `head16` that 32 do.
void encoder::length(std::size_t count, std::string_view of, int fixed, std::size_t fixed_count, int head8,
                     int head16) {
  if (count < fixed_count) {
    byte(fixed | static_cast<int>(count));
  } else if (head8 != 0 && count <= 0xff) {
    head(static_cast<unsigned char>(head8), static_cast<std::uint8_t>(count));
  } else if (count <= 0xffff) {
    head(static_cast<unsigned char>(head16), static_cast<std::uint16_t>(count));
  } else if (count <= 0xffffffff) {
    head(static_cast<unsigned char>(head16 + 1), static_cast<std::uint32_t>(count));
  } else {
    throw usage_error(std::string(of) + " of " + std::to_string(count) +
                      " is longer than msgpack can hold (4294967295)");
  }
}

encoder::scope::scope(encoder& out) : out_(out) {
  if (out.depth_ >= decoder::max_depth)
    throw usage_error("values are nested deeper than " + std::to_string(decoder::max_depth) + " levels");
  ++out.depth_;
}

void encoder::nil() {
  byte(0xc0);
}

void encoder::boolean(bool value) {
  byte(value ? 0xc3 : 0xc2);
}

void encoder::integer(std::int64_t value) {
  if (value >= 0) {
    unsigned_integer(static_cast<std::uint64_t>(value));
  } else if (value >= -32) {
    byte(static_cast<int>(value));
  } else if (value >= INT8_MIN) {
    head(0xd0, static_cast<std::uint8_t>(value));
  } else if (value >= INT16_MIN) {
    head(0xd1, static_cast<std::uint16_t>(value));
  } else if (value >= INT32_MIN) {
    head(0xd2, static_cast<std::uint32_t>(value));
  } else {
    head(0xd3, static_cast<std::uint64_t>(value));
  }
}

void encoder::unsigned_integer(std::uint64_t value) {
  if (value < 0x80) {
    byte(static_cast<int>(value));
  } else if (value <= 0xff) {
    head(0xcc, static_cast<std::uint8_t>(value));
  } else if (value <= 0xffff) {
    head(0xcd, static_cast<std::uint16_t>(value));
  } else if (value <= 0xffffffff) {
    head(0xce, static_cast<std::uint32_t>(value));
  } else {
    head(0xcf, value);
  }
}

void encoder::real(double value) {
  head(0xcb, std::bit_cast<std::uint64_t>(value));
}

void encoder::real(float value) {
  head(0xca, std::bit_cast<std::uint32_t>(value));
}

void encoder::text(std::string_view value) {
  const std::size_t good = codecs::valid_utf8_prefix(value);
  if (good != value.size())
    throw usage_error("text has to be UTF-8, and \"" + codecs::printable(value, 40) +
                      "\" is not, from byte " + std::to_string(good) +
                      " on: bytes that are not text go as quarq::bytes");
  if (value.size() < 32) return short_text(value);
  if (put_beside(detail::attachments::text_type, value)) return;
  length(value.size(), "text", 0, 0, 0xd9, 0xda);
  out_ += value;
}

// Most names and keys. A string is asked once for its room.
void encoder::short_text(std::string_view value) {
  char buffer[32];
  buffer[0] = static_cast<char>(0xa0 | value.size());
  std::copy(value.begin(), value.end(), buffer + 1);
  out_.append(buffer, 1 + value.size());
}

void encoder::binary(std::string_view value) {
  if (put_beside(detail::attachments::binary_type, value)) return;
  length(value.size(), "a run of bytes", 0, 0, 0xc4, 0xc5);
  out_ += value;
}

void encoder::array(std::size_t count) {
  length(count, "an array", 0x90, 16, 0, 0xdc);
}

void encoder::map(std::size_t count) {
  length(count, "a map", 0x80, 16, 0, 0xde);
}

void encoder::time(timestamp value) {
  if (value.nanoseconds > 999'999'999)
    throw usage_error("a timestamp has " + std::to_string(value.nanoseconds) +
                      " nanoseconds: 999999999 is the most");
  const auto seconds = static_cast<std::uint64_t>(value.seconds);
  const std::uint64_t nanoseconds = value.nanoseconds;
  if (seconds >> 34 != 0) {
    head(0xc7, std::uint8_t{12});
    head(0xff, value.nanoseconds);
    put(seconds);
  } else if (nanoseconds != 0 || seconds >> 32 != 0) {
    byte(0xd7);
    head(0xff, nanoseconds << 34 | seconds);
  } else {
    byte(0xd6);
    head(0xff, static_cast<std::uint32_t>(seconds));
  }
}

void encoder::extension(std::int8_t type, std::string_view data) {
  const bool fixed = data.size() <= 16 && std::has_single_bit(data.size());
  if (fixed) {
    byte(0xd4 + std::countr_zero(data.size()));
  } else {
    length(data.size(), "an extension", 0, 0, 0xc7, 0xc8);
  }
  byte(type);
  out_ += data;
}

/// A big value: an extension of 16 bytes, its place and its size, with the bytes themselves beside.
bool encoder::put_beside(std::int8_t type, std::string_view value) {
  if (!beside_ || value.size() < detail::attachments::big_value) return false;
  const std::uint64_t where = beside_->add(value);
  head(0xd8, static_cast<std::uint8_t>(type));
  put(where);
  put(std::uint64_t{value.size()});
  return true;
}

void encoder::file(int descriptor) {
  if (!beside_)
    throw usage_error(
        "this value holds an open file or shared memory, which can be passed to a process of this program "
        "only, "
        "as an argument");
  const std::uint32_t number = beside_->add_file(descriptor);
  head(0xd6, static_cast<std::uint8_t>(detail::attachments::file_type));
  put(number);
}

void encoder::raw(std::string_view encoded) {
  out_ += encoded;
}

}  // namespace quarq
