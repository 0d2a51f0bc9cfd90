#include "redis/resp.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

namespace quarq::redis {

namespace {

constexpr std::size_t max_reserved_items = 1024;              // longer arrays grow as their items arrive
constexpr std::size_t max_kept_bytes = std::size_t{1} << 20;  // capacity of an empty buffer

void append_length(std::string& out, char type, std::size_t n) {
  char digits[24];
  digits[0] = type;
  char* end = std::to_chars(digits + 1, digits + sizeof digits - 2, n).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(digits, static_cast<std::size_t>(end - digits));
}

// In a form that can be part of an error: short and printable.
std::string shown(std::string_view bytes) {
  std::string out = "\"";
  for (const char c : bytes.substr(0, 32)) out += c >= ' ' && c <= '~' ? c : '?';
  out += bytes.size() > 32 ? "...\"" : "\"";
  return out;
}

std::string shown(char type) {
  if (type >= ' ' && type <= '~') return std::string("'") + type + "'";
  char hex[8];
  const auto end = std::to_chars(hex, hex + sizeof hex, static_cast<unsigned char>(type), 16).ptr;
  return "0x" + std::string(hex, end);
}

const char* name_of(char type) {
  switch (type) {
    case '$':
      return "a bulk string";
    case '!':
      return "a bulk error";
    case '=':
      return "a verbatim string";
    case '*':
      return "an array";
    case '%':
      return "a map";
    case '~':
      return "a set";
    case '>':
      return "a push";
    default:
      return "an attribute";
  }
}

template <class Word>
void append_words(std::string& out, std::span<const Word> args) {
  std::size_t bytes = 16;
  for (const auto& word : args) bytes += word.size() + 16;
  if (out.capacity() - out.size() < bytes) out.reserve(std::max(out.size() + bytes, out.size() * 2));
  append_length(out, '*', args.size());
  for (const auto& word : args) {
    append_length(out, '$', word.size());
    out += word;
    out += "\r\n";
  }
}

}  // namespace

void append_command(std::string& out, std::span<const std::string> args) {
  append_words(out, args);
}

void append_command(std::string& out, std::span<const std::string_view> args) {
  append_words(out, args);
}

void resp_parser::feed(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
  commit(bytes.size());
}

std::span<char> resp_parser::prepare(std::size_t bytes) {
  if (capacity_ - end_ < bytes) {
    const std::size_t kept = unread();
    if (capacity_ - kept >= bytes && kept <= capacity_ / 2) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, kept);
    } else {
      const std::size_t wanted = std::max(kept + bytes, capacity_ * 2);
      std::unique_ptr<char[]> larger(new char[wanted]);
      if (kept) std::memcpy(larger.get(), bytes_.get() + begin_, kept);
      bytes_ = std::move(larger);
      capacity_ = wanted;
    }
    dropped_ += begin_;
    token_ -= std::min(token_, begin_);
    begin_ = 0;
    end_ = kept;
  }
  return {bytes_.get() + end_, capacity_ - end_};
}

void resp_parser::commit(std::size_t bytes) {
  end_ += bytes;
}

bool resp_parser::next(reply& out) {
  if (!failure_.empty()) throw protocol_error(failure_);
  try {
    if (!parse()) return false;
  } catch (const protocol_error& e) {
    failure_ = e.what();
    throw;
  }
  out = std::move(root_);
  root_ = reply{};
  if (begin_ == end_) {
    dropped_ += end_;
    begin_ = end_ = 0;
    if (capacity_ > max_kept_bytes) {
      bytes_.reset();
      capacity_ = 0;
    }
  }
  return true;
}

// Returns whether root_ is complete.
bool resp_parser::parse() {
  for (;;) {
    bool value_ended = false;
    if (body_type_) {
      if (!take_body()) return false;
      value_ended = true;
    } else {
      std::string_view line;
      if (!take_line(line)) return false;
      if (line.empty()) fail("an empty line where a reply should begin");
      value_ended = begin(line.front(), line.substr(1));
    }
    if (value_ended && finish_value()) return true;
  }
}

// Takes the bytes up to the next CR LF, and skips that. Returns whether all of them have arrived.
bool resp_parser::take_line(std::string_view& line) {
  token_ = begin_;
  const char* const start = bytes_.get() + begin_;
  const std::size_t there = unread();
  const void* found = there > searched_ ? std::memchr(start + searched_, '\n', there - searched_) : nullptr;
  const std::size_t length =
      found ? static_cast<std::size_t>(static_cast<const char*>(found) - start) : there;
  if (length > limits_.line_bytes + 2) {
    fail("a line is longer than " + std::to_string(limits_.line_bytes) + " bytes");
  }
  if (!found) {
    searched_ = there;
    return false;
  }
  if (length == 0 || start[length - 1] != '\r') fail("a line ends with LF alone instead of CR LF");
  line = std::string_view(start, length - 1);
  begin_ += length + 1;
  searched_ = 0;
  return true;
}

// Takes what follows the length of a bulk string. Returns whether all of it has arrived.
bool resp_parser::take_body() {
  if (unread() < body_bytes_ + 2) return false;
  const std::string_view body(bytes_.get() + begin_, body_bytes_);
  token_ = begin_ + body_bytes_;
  if (bytes_[token_] != '\r' || bytes_[token_ + 1] != '\n') {
    fail(std::string(name_of(body_type_)) + " of " + std::to_string(body_bytes_) +
         " bytes does not end with CR LF");
  }
  std::string_view text = body;
  if (body_type_ == '=') {
    token_ = begin_;
    if (body.size() < 4 || body[3] != ':')
      fail("a verbatim string without its three-letter type: " + shown(body));
    text.remove_prefix(4);
  }
  set_text(body_type_ == '!' ? reply::kind::error : reply::kind::text, text);
  begin_ += body_bytes_ + 2;
  body_type_ = 0;
  return true;
}

// Reads the line that begins a value. Returns whether that is all of the value.
bool resp_parser::begin(char type, std::string_view line) {
  switch (type) {
    case '$':
    case '!':
    case '=':
      return begin_text(type, line);
    case '*':
    case '%':
    case '~':
    case '>':
    case '|':
      return begin_items(type, line);
    default:
      read_line_value(type, line);
      return true;
  }
}

// The types that are one line.
void resp_parser::read_line_value(char type, std::string_view line) {
  switch (type) {
    case '+':
      return set_text(reply::kind::text, line);
    case '-':
      return set_text(reply::kind::error, line);
    case ':':
      return set_integer(reply::kind::integer, number(line, "an integer"));
    case '_':
      if (!line.empty()) fail("a nil with something after it: " + shown(line));
      slot();
      return;
    case '#':
      if (line != "t" && line != "f") fail("expected t or f for a boolean, got " + shown(line));
      return set_integer(reply::kind::boolean, line == "t");
    case ',':
      return read_real(line);
    case '(': {
      const std::string_view digits = line.substr(line.starts_with('-') || line.starts_with('+') ? 1 : 0);
      if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
        fail("expected digits for a big number, got " + shown(line));
      }
      return set_text(reply::kind::text, line);
    }
    case ';':
    case '.':
      fail("streamed strings and arrays are not supported");
    default:
      fail("a reply can't begin with " + shown(type));
  }
}

void resp_parser::read_real(std::string_view line) {
  std::string_view digits = line;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  double real = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), real);
  const bool readable = ec == std::errc{} || ec == std::errc::result_out_of_range;
  if (!readable || end != digits.data() + digits.size()) {
    fail("expected a number for a double, got " + shown(line));
  }
  // from_chars does not store a value then; strtod yields infinity or zero, which is no reason to give up a
  // connection.
  if (ec == std::errc::result_out_of_range) real = std::strtod(std::string(digits).c_str(), nullptr);
  reply& value = slot();
  value.type = reply::kind::real;
  value.real = real;
}

void resp_parser::set_text(reply::kind type, std::string_view text) {
  reply& value = slot();
  value.type = type;
  value.text.assign(text);
}

void resp_parser::set_integer(reply::kind type, std::int64_t n) {
  reply& value = slot();
  value.type = type;
  value.integer = n;
}

bool resp_parser::begin_text(char type, std::string_view line) {
  if (type == '$' && line == "-1") {
    slot();
    return true;
  }
  body_bytes_ = length(type, line, limits_.text_bytes);
  body_type_ = type;
  return false;
}

bool resp_parser::begin_items(char type, std::string_view line) {
  if (type == '*' && line == "-1") {
    slot();
    return true;
  }
  if (type == '>' && !open_.empty()) fail("a push inside another reply");
  const bool pairs = type == '%' || type == '|';
  const std::size_t count = length(type, line, limits_.items) * (pairs ? 2 : 1);
  if (type == '|') {
    if (count == 0) return false;
  } else {
    // An attribute is not a value: the value that it belongs to takes the slot.
    reply& value = slot();
    value.type = type == '>' ? reply::kind::push : reply::kind::array;
    if (count == 0) return true;
    open_.push_back({&value, count, nullptr});
  }
  if (type == '|') {
    auto attributes = std::make_unique<reply>();
    reply* const into = attributes.get();
    open_.push_back({into, count, std::move(attributes)});
  }
  if (open_.size() > limits_.depth) {
    fail("arrays are nested deeper than " + std::to_string(limits_.depth) + " levels");
  }
  open_.back().into->items.reserve(std::min(count, max_reserved_items));
  return false;
}

reply& resp_parser::slot() {
  return open_.empty() ? root_ : open_.back().into->items.emplace_back();
}

// Closes each array whose last item has just been read. Returns whether root_ is complete.
bool resp_parser::finish_value() {
  while (!open_.empty()) {
    if (--open_.back().left > 0) return false;
    const bool was_attributes = open_.back().attributes != nullptr;
    open_.pop_back();
    if (was_attributes) return false;
  }
  return true;
}

std::int64_t resp_parser::number(std::string_view line, const char* what) const {
  std::string_view digits = line;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t n = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (ec == std::errc::result_out_of_range) fail(std::string(what) + " does not fit 64 bits: " + shown(line));
  if (ec != std::errc{} || end != digits.data() + digits.size() || (digits.size() < line.size() && n < 0)) {
    fail("expected " + std::string(what) + ", got " + shown(line));
  }
  return n;
}

std::size_t resp_parser::length(char type, std::string_view line, std::size_t max) const {
  if (line == "?") fail("streamed strings and arrays are not supported");
  const std::int64_t n = number(line, "a length");
  if (n < 0) fail(std::string("the length of ") + name_of(type) + " is negative: " + shown(line));
  if (static_cast<std::uint64_t>(n) > max) {
    fail(std::string("the length of ") + name_of(type) + " is " + std::to_string(n) + ", more than the " +
         std::to_string(max) + " allowed");
  }
  return static_cast<std::size_t>(n);
}

void resp_parser::fail(const std::string& what) const {
  throw protocol_error("RESP: " + what + " (byte " + std::to_string(dropped_ + token_) + ")");
}

}  // namespace quarq::redis
