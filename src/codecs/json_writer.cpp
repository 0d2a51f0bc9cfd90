#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <quarq/msgpack.hpp>

#include "codecs/base64.hpp"
#include "codecs/eight_bytes.hpp"
#include "codecs/hex.hpp"
#include "codecs/iso8601.hpp"
#include "codecs/json.hpp"
#include "codecs/json_text.hpp"
#include "codecs/utf8.hpp"

namespace quarq::codecs {

namespace {

void append_escape(std::string& out, char c) {
  constexpr std::string_view special = "\"\\\b\f\n\r\t";
  constexpr std::string_view letters = "\"\\bfnrt";
  if (const std::size_t i = special.find(c); i != std::string_view::npos) {
    (out += '\\') += letters[i];
  } else {
    append_hex(out += "\\u", static_cast<unsigned char>(c), 4);
  }
}

constexpr bool is_special(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

// Whether any of eight characters is special. Each byte is compared by itself: "Determine if a word has a byte less
// than n" of Sean Anderson's Bit Twiddling Hacks, which is exact about whether there is one.
constexpr auto has_special = [](std::uint64_t eight) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101, highest = 0x8080808080808080;
  const auto below = [](std::uint64_t bytes, std::uint64_t n) { return (bytes - ones * n) & ~bytes; };
  const auto found = below(eight, 0x20) | below(eight ^ ones * '"', 1) | below(eight ^ ones * '\\', 1);
  return (found & highest) != 0;
};
constexpr auto has_special_or_non_ascii = [](std::uint64_t eight) noexcept {
  return has_special(eight) || has_non_ascii(eight);
};

std::size_t next_special(std::string_view text, std::size_t from) noexcept {
  from += clean_prefix(text.substr(from), has_special);
  while (from < text.size() && !is_special(text[from])) ++from;
  return from;
}

// Most characters stand for themselves: they are written together.
void append_escaped(std::string& out, std::string_view text) {
  std::size_t plain = 0;
  while (true) {
    const std::size_t special = next_special(text, plain);
    out.append(text, plain, special - plain);
    if (special == text.size()) return;
    append_escape(out, text[special]);
    plain = special + 1;
  }
}

class json_writer {
 public:
  json_writer(std::string_view msgpack, std::size_t limit) : in_(msgpack, "msgpack"), limit_(limit) {}

  std::string write() {
    value();
    if (!full()) {
      in_.finish();
      return std::move(out_);
    }
    if (limit_ < ellipsis.size()) return {};
    out_.resize(cut_at(out_, limit_ - ellipsis.size()));
    return std::move(out_ += ellipsis);
  }

 private:
  /// There is more than the limit already: nothing that follows will be shown.
  bool full() const noexcept { return out_.size() > limit_; }

  void value() {
    switch (in_.peek()) {
      case value_type::nil:
        in_.nil();
        out_ += "null";
        break;
      case value_type::boolean:
        out_ += in_.boolean() ? "true" : "false";
        break;
      case value_type::integer:
        integer();
        break;
      case value_type::real:
        append_json_real(out_, in_.real());
        break;
      case value_type::text:
        string(in_.binary());
        break;
      case value_type::binary:
        out_ += "{\"$bytes\": ";
        base64(in_.binary());
        out_ += '}';
        break;
      case value_type::array:
        array();
        break;
      case value_type::map:
        map();
        break;
      case value_type::timestamp:
        string(to_iso8601(in_.time()));
        break;
      case value_type::extension: {
        const quarq::extension found = in_.extension();
        out_ += "{\"$ext\": [" + std::to_string(found.type) + ", ";
        base64(found.data);
        out_ += "]}";
        break;
      }
    }
  }

  void integer() {
    const std::string_view encoded = in_.raw();
    const auto first = static_cast<unsigned char>(encoded[0]);
    const bool negative = first >= 0xe0 || (first >= 0xd0 && static_cast<signed char>(encoded[1]) < 0);
    decoder number(encoded);
    out_ += negative ? std::to_string(number.integer()) : std::to_string(number.unsigned_integer());
  }

  /// A long string is looked at only as far as it can be shown.
  void string(std::string_view data) {
    const std::size_t room = full() ? 0 : limit_ - out_.size();
    append_json_string(out_, room < data.size() ? data.substr(0, room + 1) : data);
  }

  void base64(std::string_view data) {
    const std::size_t room = full() ? 0 : limit_ - out_.size();
    ((out_ += '"') += to_base64(room < data.size() ? data.substr(0, room + 1) : data)) += '"';
  }

  void array() {
    const std::size_t count = in_.array();
    decoder::scope place(in_);
    out_ += '[';
    for (std::size_t i = 0; i < count && !full(); ++i) {
      place.element(i);
      if (i > 0) out_ += ", ";
      value();
    }
    out_ += ']';
  }

  void map() {
    const std::size_t count = in_.map();
    decoder::scope place(in_);
    out_ += '{';
    for (std::size_t i = 0; i < count && !full(); ++i) {
      place.key(i + 1);
      if (i > 0) out_ += ", ";
      key(place);
      out_ += ": ";
      if (!full()) value();
    }
    out_ += '}';
  }

  void key(decoder::scope& place) {
    if (in_.peek() == value_type::text) {
      const std::string_view name = in_.binary();
      place.entry(name);
      return string(name);
    }
    const std::size_t start = out_.size();
    value_in_key();
    if (out_[start] == '"') return;
    const std::string json = out_.substr(start);
    out_.resize(start);
    string(json);
  }

  /// A key that is an array or map within such a key is only hinted at: each level would escape all quotes
  /// again, which doubles the text.
  void value_in_key() {
    const value_type type = in_.peek();
    const bool nested = type == value_type::array || type == value_type::map;
    if (nested && in_key_) {
      in_.skip();
      out_ += type == value_type::array ? "[...]" : "{...}";
      return;
    }
    const bool was_in_key = std::exchange(in_key_, in_key_ || nested);
    value();
    in_key_ = was_in_key;
  }

  decoder in_;
  std::size_t limit_;
  std::string out_;
  bool in_key_ = false;  // within a key that is an array or map
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  if (clean_prefix(text, has_special_or_non_ascii) == text.size()) {
    out += text;
  } else if (is_utf8(text)) {
    append_escaped(out, text);
  } else {
    append_escaped(out, to_utf8(text));
  }
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

void append_json_real(std::string& out, double number) {
  if (std::isnan(number)) {
    out += "\"NaN\"";
  } else if (std::isinf(number)) {
    out += number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    const std::string_view text(digits, static_cast<std::size_t>(end - digits));
    out += text;
    if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
  }
}

std::string to_json(std::string_view msgpack, std::size_t limit) {
  return json_writer(msgpack, limit).write();
}

}  // namespace quarq::codecs
