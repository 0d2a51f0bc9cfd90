#include "codecs/python/pickle_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "codecs/hex.hpp"
#include "codecs/utf8.hpp"

namespace quarq::codecs::python {

namespace {

/// The digits `text` begins with, all `size` of them.
std::optional<std::uint32_t> hexadecimal(std::string_view text, std::size_t size) {
  std::uint32_t value = 0;
  if (text.size() < size) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + size, value, 16);
  if (error != std::errc() || end != text.data() + size) return std::nullopt;
  return value;
}

template <class Number>
bool whole_number(std::string_view digits, Number& value) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size();
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

}  // namespace

python_value integer_from_bytes(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  while (bytes.size() > 1) {  // bytes that only repeat the sign
    const unsigned char sign = (at(bytes.size() - 2) & 0x80) != 0 ? 0xff : 0;
    if (at(bytes.size() - 1) != sign) break;
    bytes.remove_suffix(1);
  }
  python_value result;
  if (bytes.size() > 9 || (bytes.size() == 9 && at(8) != 0)) {
    result.kind = value_kind::long_bytes;
    result.data = bytes.data();
    result.count = static_cast<std::uint32_t>(bytes.size());
    return result;
  }
  std::uint64_t value = !bytes.empty() && (at(bytes.size() - 1) & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = std::min<std::size_t>(bytes.size(), 8); i > 0; --i) value = value << 8 | at(i - 1);
  if (bytes.size() == 9) {
    result.kind = value_kind::unsigned_integer;
    result.unsigned_number = value;
  } else {
    result.kind = value_kind::integer;
    result.number = static_cast<std::int64_t>(value);
  }
  return result;
}

std::optional<python_value> integer_from_digits(std::string_view digits) {
  const std::string_view unsigned_part = digits.substr(digits.starts_with('-') ? 1 : 0);
  if (unsigned_part.empty() || !std::all_of(unsigned_part.begin(), unsigned_part.end(), is_digit))
    return std::nullopt;
  python_value result;
  std::int64_t number = 0;
  std::uint64_t big = 0;
  if (whole_number(digits, number)) {
    result.kind = value_kind::integer;
    result.number = number;
  } else if (whole_number(digits, big)) {
    result.kind = value_kind::unsigned_integer;
    result.unsigned_number = big;
  } else {
    result.kind = value_kind::long_digits;
    result.data = digits.data();
    result.count = static_cast<std::uint32_t>(digits.size());
  }
  return result;
}

std::optional<double> real_from_text(std::string_view text) {
  double value = 0;
  if (!whole_number(text, value)) return std::nullopt;
  return value;
}

std::optional<std::string> from_raw_unicode_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 'u' || text[i + 1] == 'U');
    if (!escape) {
      append_utf8(out, static_cast<unsigned char>(text[i]));
      continue;
    }
    const std::size_t digits = text[i + 1] == 'u' ? 4 : 8;
    const auto code = hexadecimal(text.substr(i + 2), digits);
    if (!code || *code > 0x10ffff) return std::nullopt;
    // As Python does, a surrogate too: that it is not UTF-8 is told where the text is used.
    append_utf8(out, *code);
    i += 1 + digits;
  }
  return out;
}

std::optional<std::string> from_quoted(std::string_view text) {
  const bool quoted =
      text.size() >= 2 && text.front() == text.back() && (text.front() == '\'' || text.front() == '"');
  if (!quoted) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    constexpr std::string_view letters = "\\'\"nrt", meant = "\\'\"\n\r\t";
    if (const std::size_t letter = letters.find(text[i]); letter != std::string_view::npos) {
      out += meant[letter];
    } else {
      const auto code = text[i] == 'x' ? byte_in_hex(text.substr(i + 1)) : std::nullopt;
      if (!code) return std::nullopt;
      out += static_cast<char>(*code);
      i += 2;
    }
  }
  return out;
}

}  // namespace quarq::codecs::python
