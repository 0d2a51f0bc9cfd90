#include "codecs/python/python_repr.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

#include <quarq/msgpack.hpp>

#include "codecs/hex.hpp"
#include "codecs/iso8601.hpp"
#include "codecs/utf8.hpp"

namespace quarq::codecs::python {

namespace {

/// Collects text until there is more than may be shown.
class limited_text {
 public:
  explicit limited_text(std::size_t max) : most_(std::min(max, std::string::npos / 8)) {}

  bool full() const noexcept { return characters_ > most_; }
  /// How many more characters are looked at.
  std::size_t room() const noexcept { return full() ? 0 : most_ - characters_ + 1; }

  void add(std::string_view utf8) {
    text_ += utf8;
    characters_ += count_characters(utf8);
  }

  std::string take() {
    if (!full()) return std::move(text_);
    if (most_ == 0) return {};
    std::size_t end = 0;
    for (std::size_t left = most_ - 1; end < text_.size(); ++end) {
      if (!continues_character(text_[end]) && left-- == 0) break;
    }
    text_.resize(end);
    return std::move(text_ += ellipsis);
  }

 private:
  std::string text_;
  std::size_t characters_ = 0;
  std::size_t most_;
};

/// str.isprintable() of Unicode 14 from U+0080, but for what is not assigned.
bool is_printable(std::uint32_t c) {
  struct range {
    std::uint32_t first, last;
  };
  static constexpr range hidden[] = {
      {0x80, 0xa0},       {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},
      {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x1680, 0x1680},   {0x180e, 0x180e},
      {0x2000, 0x200f},   {0x2028, 0x202f},   {0x205f, 0x206f},   {0x3000, 0x3000},   {0xe000, 0xf8ff},
      {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0xfffe, 0xffff},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
      {0x13430, 0x13438}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff}};
  return std::none_of(std::begin(hidden), std::end(hidden),
                      [c](const range& r) { return r.first <= c && c <= r.last; });
}

std::string escaped(std::uint32_t code) {
  std::string text = code < 0x100 ? "\\x" : code < 0x10000 ? "\\u" : "\\U";
  append_hex(text, code, code < 0x100 ? 2 : code < 0x10000 ? 4 : 8);
  return text;
}

/// What Python writes with a letter; empty for all others.
std::string_view short_escape(char c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\\':
      return "\\\\";
    default:
      return {};
  }
}

class python_writer {
 public:
  python_writer(std::string_view msgpack, std::size_t max) : in_(msgpack, "msgpack"), out_(max) {}

  std::string one() {
    value();
    return finish();
  }

  std::string arguments(std::size_t by_position, std::span<const std::string> names) {
    const std::size_t count = in_.array();
    decoder::scope place(in_);
    struct named {
      std::string_view name, encoded;
    };
    std::vector<named> rest;
    for (std::size_t i = 0; i < count && !out_.full(); ++i) {
      place.element(i);
      if (i >= by_position && i < names.size()) {
        rest.push_back({names[i], in_.raw()});
        continue;
      }
      if (i > 0) out_.add(", ");
      value();
    }
    std::ranges::sort(rest, {}, &named::name);
    std::string_view between = by_position > 0 ? ", " : "";
    for (const auto& [name, encoded] : rest) {
      if (out_.full()) break;
      out_.add(between);
      out_.add(name);
      out_.add("=");
      out_.add(to_python(encoded, out_.room()));
      between = ", ";
    }
    return finish();
  }

  static std::string quoted(std::string_view data) {
    python_writer writer({}, std::string::npos);
    writer.text(data);
    return writer.out_.take();
  }

 private:
  std::string finish() {
    if (!out_.full()) in_.finish();
    return out_.take();
  }

  void value() {
    switch (in_.peek()) {
      case value_type::nil:
        in_.nil();
        return out_.add("None");
      case value_type::boolean:
        return out_.add(in_.boolean() ? "True" : "False");
      case value_type::integer:
        return integer();
      case value_type::real:
        return real(in_.real());
      case value_type::text:
        return text(in_.binary());
      case value_type::binary:
        return bytes(in_.binary());
      case value_type::array:
        return list();
      case value_type::map:
        return dict();
      case value_type::timestamp:
        return time(in_.time());
      case value_type::extension:
        const quarq::extension found = in_.extension();
        out_.add("ExtType(code=" + std::to_string(found.type) + ", data=");
        bytes(found.data);
        return out_.add(")");
    }
  }

  void integer() {
    const std::string_view encoded = in_.raw();
    const auto first = static_cast<unsigned char>(encoded[0]);
    const bool negative = first >= 0xe0 || (first >= 0xd0 && static_cast<signed char>(encoded[1]) < 0);
    decoder number(encoded);
    out_.add(negative ? std::to_string(number.integer()) : std::to_string(number.unsigned_integer()));
  }

  /// The shortest digits that are read back as the same number, in Python's choice of form.
  void real(double number) {
    if (std::isnan(number)) return out_.add("nan");
    if (std::isinf(number)) return out_.add(number > 0 ? "inf" : "-inf");
    const double size = std::abs(number);
    const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
    char digits[48];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number,
                                            plain ? std::chars_format::fixed : std::chars_format::scientific);
    const std::string_view shown(digits, static_cast<std::size_t>(end - digits));
    out_.add(shown);
    if (plain && shown.find('.') == shown.npos) out_.add(".0");
  }

  /// The data as far as it can be shown, and the mark that it is quoted with. Python looks for apostrophes in
  /// all of it; of long data, that end in "…" anyway, only the beginning is looked at.
  char mark_for(std::string_view data) const {
    constexpr std::size_t far_enough = 4096;
    if (out_.room() < far_enough) data = data.substr(0, far_enough);
    return data.find('\'') != data.npos && data.find('"') == data.npos ? '"' : '\'';
  }

  void text(std::string_view data) {
    const char mark = mark_for(data);
    const std::string_view quote(&mark, 1);
    const std::size_t longest = out_.room() > data.size() / 4 ? data.size() : 4 * out_.room();
    const std::string shown = to_utf8(data.substr(0, longest));
    out_.add(quote);
    for (std::size_t at = 0; at < shown.size() && !out_.full();) {
      std::size_t size = 1;
      while (at + size < shown.size() && continues_character(shown[at + size])) ++size;
      character(std::string_view(shown).substr(at, size), mark);
      at += size;
    }
    out_.add(quote);
  }

  void character(std::string_view utf8, char mark) {
    const std::string_view known = short_escape(utf8[0]);
    const std::uint32_t code = code_point(utf8);
    if (!known.empty()) {
      out_.add(known);
    } else if (utf8[0] == mark) {
      out_.add("\\");
      out_.add(utf8);
    } else if (code < 0x20 || code == 0x7f || (code >= 0x80 && !is_printable(code))) {
      out_.add(escaped(code));
    } else {
      out_.add(utf8);
    }
  }

  void bytes(std::string_view data) {
    const char mark = mark_for(data);
    const std::string_view quote(&mark, 1);
    out_.add("b");
    out_.add(quote);
    for (std::size_t at = 0; at < data.size() && !out_.full(); ++at) {
      const auto code = static_cast<unsigned char>(data[at]);
      if (code < 0x80) {
        character(data.substr(at, 1), mark);
      } else {
        out_.add(escaped(code));
      }
    }
    out_.add(quote);
  }

  void list() {
    const std::size_t count = in_.array();
    decoder::scope place(in_);
    out_.add("[");
    for (std::size_t i = 0; i < count && !out_.full(); ++i) {
      place.element(i);
      if (i > 0) out_.add(", ");
      value();
    }
    out_.add("]");
  }

  void dict() {
    const std::size_t count = in_.map();
    decoder::scope place(in_);
    out_.add("{");
    for (std::size_t i = 0; i < count && !out_.full(); ++i) {
      place.key(i + 1);
      if (i > 0) out_.add(", ");
      value();
      out_.add(": ");
      if (!out_.full()) value();
    }
    out_.add("}");
  }

  void time(timestamp moment) {
    namespace chrono = std::chrono;
    const std::string iso = to_iso8601(moment);
    // A year with four digits; those that Python knows.
    if (iso.size() < 20 || iso[4] != '-' || iso.starts_with("0000")) return text(iso);
    const chrono::sys_seconds at{chrono::seconds(moment.seconds)};
    const auto day = chrono::floor<chrono::days>(at);
    const chrono::year_month_day date(day);
    const chrono::hh_mm_ss clock(at - day);
    const auto microseconds = moment.nanoseconds / 1000;
    std::string shown = "datetime.datetime(";
    for (const long long part :
         {static_cast<long long>(static_cast<int>(date.year())),
          static_cast<long long>(static_cast<unsigned>(date.month())),
          static_cast<long long>(static_cast<unsigned>(date.day())),
          static_cast<long long>(clock.hours().count()), static_cast<long long>(clock.minutes().count())})
      shown += std::to_string(part) + ", ";
    if (clock.seconds().count() != 0 || microseconds != 0)
      shown += std::to_string(clock.seconds().count()) + ", ";
    if (microseconds != 0) shown += std::to_string(microseconds) + ", ";
    out_.add(shown + "tzinfo=datetime.timezone.utc)");
  }

  decoder in_;
  limited_text out_;
};

}  // namespace

std::string to_python(std::string_view msgpack, std::size_t max) {
  return python_writer(msgpack, max).one();
}

std::string to_python_arguments(std::string_view msgpack, std::size_t by_position,
                                std::span<const std::string> names, std::size_t max) {
  return python_writer(msgpack, max).arguments(by_position, names);
}

std::string python_quoted(std::string_view text) {
  return python_writer::quoted(text);
}

}  // namespace quarq::codecs::python
