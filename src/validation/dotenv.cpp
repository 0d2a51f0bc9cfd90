#include "validation/dotenv.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace quarq::validation {

namespace {

bool is_name(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  return !text.empty() && is_letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9');
  });
}

/// Whether nothing but a comment stands there.
bool is_blank(std::string_view text) {
  text = base::trimmed(text, base::white_space);
  return text.empty() || text[0] == '#';
}

std::optional<std::string> double_quoted(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (!is_blank(text.substr(i + 1))) return std::nullopt;
      return value;
    }
    if (text[i] != '\\') {
      value += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    switch (text[i]) {
      case 'n':
        value += '\n';
        break;
      case 't':
        value += '\t';
        break;
      case '"':
      case '$':
      case '\\':
        value += text[i];
        break;
      default:
        (value += '\\') += text[i];
    }
  }
  return std::nullopt;
}

std::optional<std::string> value_of(std::string_view text) {
  text = base::trimmed(text, base::white_space);
  if (text.starts_with('"')) return double_quoted(text.substr(1));
  if (text.starts_with('\'')) {
    const std::size_t end = text.find('\'', 1);
    if (end == std::string_view::npos || !is_blank(text.substr(end + 1))) return std::nullopt;
    return std::string(text.substr(1, end - 1));
  }
  return std::string(base::trimmed(text.substr(0, text.find(" #")), base::white_space));
}

}  // namespace

dotenv parse_dotenv(std::string_view text) {
  dotenv result;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    std::string_view rest = base::trimmed(text.substr(0, end), base::white_space);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (is_blank(rest)) continue;
    if (rest.starts_with("export ")) rest = base::trimmed(rest.substr(7), base::white_space);
    const std::size_t equals = rest.find('=');
    const std::string_view name = base::trimmed(rest.substr(0, equals), base::white_space);
    const auto value = equals == std::string_view::npos ? std::nullopt : value_of(rest.substr(equals + 1));
    if (!value || !is_name(name)) {
      result.bad_lines.push_back(line);
    } else {
      result.values.insert_or_assign(std::string(name), dotenv_value{*value, line});
    }
  }
  return result;
}

}  // namespace quarq::validation
