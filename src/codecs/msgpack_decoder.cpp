#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include <quarq/detail/attachments.hpp>
#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "codecs/iso8601.hpp"
#include "codecs/utf8.hpp"

namespace quarq {

namespace {

constexpr std::size_t shown_bytes = 40;  // of a string within a message

/// One value's type by its first byte; extensions are told apart later. 0xc1 is no msgpack.
struct first_byte {
  value_type type;
  std::size_t length_bytes;  // how many bytes of length or number follow
};

constexpr first_byte read_first(unsigned char byte) noexcept {
  using enum value_type;
  if (byte < 0x80 || byte >= 0xe0) return {integer, 0};
  if (byte < 0x90) return {map, 0};
  if (byte < 0xa0) return {array, 0};
  if (byte < 0xc0) return {text, 0};
  constexpr first_byte rest[] = {
      {nil, 0},       {nil, 0},       {boolean, 0},   {boolean, 0},   {binary, 1},    {binary, 2},
      {binary, 4},    {extension, 1}, {extension, 2}, {extension, 4}, {real, 4},      {real, 8},
      {integer, 1},   {integer, 2},   {integer, 4},   {integer, 8},   {integer, 1},   {integer, 2},
      {integer, 4},   {integer, 8},   {extension, 0}, {extension, 0}, {extension, 0}, {extension, 0},
      {extension, 0}, {text, 1},      {text, 2},      {text, 4},      {array, 2},     {array, 4},
      {map, 2},       {map, 4}};
  return rest[byte - 0xc0];
}

/// The count within the first byte, for the forms that have no bytes of length.
constexpr std::uint64_t count_in(unsigned char byte, value_type type) noexcept {
  if (type == value_type::text) return byte & 0x1f;
  if (type == value_type::extension) return std::uint64_t{1} << (byte - 0xd4);
  return byte & 0x0f;
}

constexpr std::string_view type_words[] = {"nil",   "boolean", "integer", "real number", "string",
                                           "bytes", "array",   "map",     "timestamp",   "extension"};

constexpr std::string_view word_of(value_type type) noexcept {
  return type_words[static_cast<std::size_t>(type)];
}

std::string in_quotes(std::string_view text) {
  return '"' + codecs::printable(text, shown_bytes) + '"';
}

/// "1 byte", "2 bytes".
std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + ' ' + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace

std::string_view to_string(value_type type) noexcept {
  return word_of(type);
}

/// What next() reads of a value: all of it, but for the elements of arrays and maps, which follow.
struct decoder::token {
  value_type type = value_type::nil;
  bool negative = false;     // of an integer
  std::uint64_t number = 0;  // an integer (two's complement), a boolean, a number of elements or entries
  double real = 0;
  std::string_view payload;  // of text, bytes, timestamp and extension
  std::int8_t extension_type = 0;
};

void decoder::fail_cut_off(std::size_t count, std::string_view of) const {
  fail("the data ends in the middle of " + std::string(of) + ": " + counted(count, "byte") +
       " expected at byte " + std::to_string(position_) + ", " + std::to_string(data_.size() - position_) +
       " left");
}

inline std::string_view decoder::take(std::size_t count, std::string_view of) {
  if (count > data_.size() - position_) fail_cut_off(count, of);
  const std::string_view taken(data_.data() + position_, count);
  position_ += count;
  return taken;
}

inline std::uint64_t decoder::big_endian(std::size_t size, std::string_view of) {
  std::uint64_t value = 0;
  for (const char byte : take(size, of)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

decoder::token decoder::next() {
  const auto byte = static_cast<unsigned char>(take(1, "a value")[0]);
  if (byte == 0xc1) fail("byte " + std::to_string(position_ - 1) + " is 0xc1, which is no msgpack");
  const auto [type, size] = read_first(byte);
  const std::string_view name = word_of(type);
  token result;
  result.type = type;
  switch (type) {
    case value_type::nil:
      break;
    case value_type::boolean:
      result.number = byte & 1;
      break;
    case value_type::integer:
      read_integer(result, byte, size);
      break;
    case value_type::real: {
      const std::uint64_t bits = big_endian(size, name);
      result.real =
          size == 4 ? std::bit_cast<float>(static_cast<std::uint32_t>(bits)) : std::bit_cast<double>(bits);
      break;
    }
    case value_type::array:
    case value_type::map:
      result.number = size == 0 ? count_in(byte, type) : big_endian(size, name);
      break;
    default: {
      const std::uint64_t length = size == 0 ? count_in(byte, type) : big_endian(size, name);
      if (type == value_type::extension)
        result.extension_type = static_cast<std::int8_t>(big_endian(1, name));
      result.payload = take(length, name);
      if (type == value_type::extension && result.extension_type == -1) result.type = value_type::timestamp;
      if (type == value_type::extension && beside_) find_beside(result);
    }
  }
  return result;
}

void decoder::read_integer(token& result, unsigned char byte, std::size_t size) {
  const bool is_signed = byte >= 0xd0;  // the fixed negative ones and the forms d0 to d3
  result.number = size == 0 ? byte : big_endian(size, "integer");
  if (!is_signed) return;
  const std::size_t unused = size == 0 ? 56 : 64 - 8 * size;
  const auto value = static_cast<std::int64_t>(result.number << unused) >> unused;
  result.number = static_cast<std::uint64_t>(value);
  result.negative = value < 0;
}

// What stands for a big value is read as that value.
void decoder::find_beside(token& result) {
  const bool is_text = result.extension_type == detail::attachments::text_type;
  if (!is_text && result.extension_type != detail::attachments::binary_type) return;
  if (result.payload.size() != 16) fail("a big value's place has to have 16 bytes");
  decoder place(result.payload);
  const std::uint64_t where = place.big_endian(8, "");
  const std::uint64_t size = place.big_endian(8, "");
  const std::string_view found = beside_->find(where, size);
  if (!found.data())
    fail(counted(size, "byte") + " of a big value are not at " + std::to_string(where) +
         " of the shared memory");
  result.type = is_text ? value_type::text : value_type::binary;
  result.payload = found;
}

decoder::token decoder::expect(value_type type, std::string_view expected) {
  const std::size_t start = position_;
  const token result = next();
  if (result.type != type) {
    position_ = start;
    fail_expected(expected);
  }
  return result;
}

value_type decoder::peek() {
  if (!at_end()) {
    const auto byte = static_cast<unsigned char>(data_[position_]);
    const value_type type = read_first(byte).type;
    if (byte != 0xc1 && type != value_type::extension) return type;
  }
  const std::size_t start = position_;
  const value_type type = next().type;
  position_ = start;
  return type;
}

void decoder::finish() {
  const std::size_t left = data_.size() - position_;
  if (left > 0) fail(counted(left, "byte") + (left == 1 ? " is" : " are") + " left over after the value");
}

void decoder::nil() {
  expect(value_type::nil, "nil");
}

bool decoder::try_nil() noexcept {
  const bool found = !at_end() && data_[position_] == '\xc0';
  position_ += found;
  return found;
}

bool decoder::boolean() {
  return expect(value_type::boolean, "boolean").number != 0;
}

std::int64_t decoder::integer(std::int64_t min, std::int64_t max) {
  const token found = expect(value_type::integer, "integer");
  const auto value = static_cast<std::int64_t>(found.number);
  const bool fits = found.negative == (value < 0) && value >= min && value <= max;
  if (!fits)
    fail("expected integer from " + std::to_string(min) + " to " + std::to_string(max) + ", got " +
         (found.negative ? std::to_string(value) : std::to_string(found.number)));
  return value;
}

std::uint64_t decoder::unsigned_integer(std::uint64_t max) {
  const token found = expect(value_type::integer, "integer");
  if (found.negative || found.number > max)
    fail("expected integer from 0 to " + std::to_string(max) + ", got " +
         (found.negative ? std::to_string(static_cast<std::int64_t>(found.number))
                         : std::to_string(found.number)));
  return found.number;
}

double decoder::real() {
  const std::size_t start = position_;
  const token found = next();
  if (found.type == value_type::real) return found.real;
  if (found.type == value_type::integer)
    return found.negative ? static_cast<double>(static_cast<std::int64_t>(found.number))
                          : static_cast<double>(found.number);
  if (found.type == value_type::text) {
    if (found.payload == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (found.payload == "Infinity") return std::numeric_limits<double>::infinity();
    if (found.payload == "-Infinity") return -std::numeric_limits<double>::infinity();
  }
  position_ = start;
  fail_expected("number");
}

/// The next value, if it is text of the shortest form, which most names are, and all of it is there.
inline std::string_view decoder::try_short_text() noexcept {
  if (at_end()) return {};
  const auto first = static_cast<unsigned char>(data_[position_]);
  const std::size_t size = first & 0x1f;
  if ((first & 0xe0) != 0xa0 || size >= data_.size() - position_) return {};
  const std::string_view found(data_.data() + position_ + 1, size);
  position_ += 1 + size;
  return found;
}

std::string_view decoder::text() {
  std::string_view value = try_short_text();
  if (value.data() == nullptr) value = expect(value_type::text, "string").payload;
  const std::size_t good = codecs::valid_utf8_prefix(value);
  if (good != value.size())
    fail("expected string, got " + in_quotes(value) + ", which is not UTF-8 from byte " +
         std::to_string(good) + " on");
  return value;
}

std::string_view decoder::binary() {
  const std::size_t start = position_;
  const token found = next();
  if (found.type == value_type::binary || found.type == value_type::text) return found.payload;
  position_ = start;
  fail_expected("bytes");
}

std::size_t decoder::array() {
  const std::uint64_t count = expect(value_type::array, "array").number;
  const std::size_t left = data_.size() - position_;
  if (count > left)
    fail("an array of " + std::to_string(count) + " can't be in the " + counted(left, "byte") + " left");
  return count;
}

void decoder::array(std::size_t count) {
  const std::uint64_t found = expect(value_type::array, "array").number;
  if (found != count)
    fail("expected array of " + std::to_string(count) + ", got array of " + std::to_string(found));
}

std::size_t decoder::map() {
  const std::uint64_t count = expect(value_type::map, "map").number;
  const std::size_t left = data_.size() - position_;
  if (count > left / 2)
    fail("a map of " + std::to_string(count) + " can't be in the " + counted(left, "byte") + " left");
  return count;
}

timestamp decoder::time() {
  const std::size_t start = position_;
  const token found = next();
  if (found.type == value_type::text) {
    const auto moment = codecs::from_iso8601(found.payload);
    if (!moment) fail("expected a time such as \"2019-03-01T12:00:00Z\", got " + in_quotes(found.payload));
    return *moment;
  }
  position_ = start;
  if (found.type != value_type::timestamp) fail_expected("timestamp");
  decoder payload(found.payload);
  timestamp moment;
  switch (found.payload.size()) {
    case 4:
      moment.seconds = static_cast<std::int64_t>(payload.big_endian(4, ""));
      break;
    case 8: {
      const std::uint64_t packed = payload.big_endian(8, "");
      moment = {static_cast<std::int64_t>(packed & 0x3ffffffff), static_cast<std::uint32_t>(packed >> 34)};
      break;
    }
    case 12:
      moment.nanoseconds = static_cast<std::uint32_t>(payload.big_endian(4, ""));
      moment.seconds = static_cast<std::int64_t>(payload.big_endian(8, ""));
      break;
    default:
      fail("a timestamp of " + std::to_string(found.payload.size()) + " bytes: 4, 8 and 12 are possible");
  }
  if (moment.nanoseconds > 999'999'999)
    fail("a timestamp has " + std::to_string(moment.nanoseconds) + " nanoseconds: 999999999 is the most");
  next();
  return moment;
}

quarq::extension decoder::extension() {
  const std::size_t start = position_;
  const token found = next();
  if (found.type == value_type::extension || found.type == value_type::timestamp)
    return {found.extension_type, found.payload};
  position_ = start;
  fail_expected("extension");
}

int decoder::file() {
  const std::size_t start = position_;
  const token found = next();
  const bool is_file = found.type == value_type::extension &&
                       found.extension_type == detail::attachments::file_type && found.payload.size() == 4;
  if (!is_file) {
    position_ = start;
    fail_expected("an open file");
  }
  decoder payload(found.payload);
  const auto number = static_cast<std::uint32_t>(payload.big_endian(4, ""));
  const int descriptor = beside_ ? beside_->take_file(number) : -1;
  if (descriptor < 0) fail("the open file " + std::to_string(number) + " did not come along");
  return descriptor;
}

std::string_view decoder::raw() {
  const std::size_t start = position_;
  skip();
  return data_.substr(start, position_ - start);
}

/// Counts what is still to come instead of calling itself, so that no depth of nesting can overflow the
/// stack.
void decoder::skip() {
  std::size_t pending = 1;
  while (pending > 0) {
    const token found = next();
    --pending;
    if (found.type == value_type::array) pending += found.number;
    if (found.type == value_type::map) pending += 2 * found.number;
    const std::size_t left = data_.size() - position_;
    if (pending > left)
      fail("the data ends in the middle of " + std::string(to_string(found.type)) + ": " +
           counted(pending, "value") + " more expected at byte " + std::to_string(position_) + ", " +
           counted(left, "byte") + " left");
  }
}

void decoder::fail(std::string_view message) const {
  std::string text(what_);
  const std::string where = place();
  if (!where.empty()) (text += text.empty() ? "" : ": ") += where;
  (text += text.empty() ? "" : ": ") += message;
  throw decode_error(codecs::printable(text, std::string::npos));
}

void decoder::fail_expected(std::string_view expected) {
  const value_type found = peek();
  fail("expected " + std::string(expected) + ", got " + std::string(to_string(found)));
}

decoder::scope::scope(decoder& in)
    : in_(in), parent_(in.innermost_), depth_(parent_ ? parent_->depth_ + 1 : 1) {
  if (depth_ > max_depth) in.fail("values are nested deeper than " + std::to_string(max_depth) + " levels");
  in.innermost_ = this;
}

/// "argument 2 (options): field to[2].name", from the outermost scope to the innermost.
std::string decoder::place() const {
  std::array<const scope*, max_depth> scopes;
  std::size_t count = 0;
  for (const scope* at = innermost_; at; at = at->parent_) scopes[count++] = at;

  std::string text;
  bool in_path = false;
  const auto begin = [&](std::string_view word) {
    if (!in_path) (text += text.empty() ? "" : ": ") += word;
  };
  while (count > 0) {
    const scope& at = *scopes[--count];
    const std::string name = codecs::printable(at.name_, shown_bytes);
    switch (at.kind_) {
      case scope::kind::none:
        continue;
      case scope::kind::argument:
      case scope::kind::key:
        in_path = false;
        begin(at.kind_ == scope::kind::key ? "key " : "argument ");
        text += std::to_string(at.number_);
        if (!name.empty()) text += " (" + name + ')';
        continue;
      case scope::kind::field:
        begin("field ");
        text += (in_path ? "." : "") + name;
        break;
      case scope::kind::element:
      case scope::kind::numbered_entry:
        begin(at.kind_ == scope::kind::element ? "element " : "entry ");
        text += '[' + std::to_string(at.number_) + ']';
        break;
      case scope::kind::entry:
        begin("entry ");
        text += "[\"" + name + "\"]";
        break;
    }
    in_path = true;
  }
  return text;
}

}  // namespace quarq
