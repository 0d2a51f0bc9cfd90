#include "codecs/python/pickle_values.hpp"

#include <quarq/errors.hpp>

namespace quarq::codecs::python {

std::string_view to_string(value_kind kind) noexcept {
  constexpr std::string_view words[] = {
      "None",   "a bool",      "an int",     "an int",     "an int", "an int",    "a float",      "a str",
      "bytes",  "bytes",       "a list",     "a tuple",    "a set",  "a dict",    "a datetime",   "a date",
      "a time", "a timedelta", "a timezone", "a ZoneInfo", "a UUID", "a Decimal", "an exception", "a class"};
  return words[static_cast<std::size_t>(kind)];
}

void python_values::clear() {
  values.clear();
  links.clear();
  names.clear();
  unescaped.clear();
  for (const bool flag : {false, false, true}) {
    python_value constant;
    constant.kind = values.empty() ? value_kind::none : value_kind::boolean;
    constant.flag = flag;
    values.push_back(constant);
  }
}

value_ref python_values::add(const python_value& value) {
  values.push_back(value);
  return static_cast<value_ref>(values.size() - 1);
}

void python_values::append(value_ref container, value_ref element) {
  const auto at = static_cast<std::uint32_t>(links.size());
  links.push_back({element, 0});
  python_value& value = values[container];
  if (value.count == 0) {
    value.elements.first = at;
  } else {
    links[value.elements.last].next = at;
  }
  value.elements.last = at;
  ++value.count;
}

std::optional<std::string> from_latin1(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      out += text[i];
      continue;
    }
    const bool two = (byte == 0xc2 || byte == 0xc3) && i + 1 < text.size() && (text[i + 1] & 0xc0) == 0x80;
    if (!two) return std::nullopt;
    out += static_cast<char>((byte & 3) << 6 | (text[++i] & 0x3f));
  }
  return out;
}

void fail_pickle(std::string_view what, std::size_t position, const std::string& message) {
  std::string text(what);
  if (!text.empty()) text += ": ";
  throw decode_error(text + "byte " + std::to_string(position) + ": " + message);
}

}  // namespace quarq::codecs::python
