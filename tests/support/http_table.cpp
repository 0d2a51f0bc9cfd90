#include "support/http_table.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace quarq::test {

std::vector<std::vector<std::string>> read_table(std::string_view name) {
  std::ifstream file(std::string(QUARQ_TEST_SOURCE_DIR "/http/") + std::string(name));
  if (!file) throw std::runtime_error("no table " + std::string(name));
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    auto& row = rows.emplace_back();
    for (std::size_t at = 0; at <= line.size();) {
      const auto tab = std::min(line.find('\t', at), line.size());
      row.push_back(line.substr(at, tab - at));
      at = tab + 1;
    }
  }
  return rows;
}

namespace {

// Takes one escape off `text`, which begins behind the backslash.
char take_escape(std::string_view& text) {
  const char kind = text.at(0);
  text.remove_prefix(1);
  switch (kind) {
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    case 'x': {
      const auto code = std::stoi(std::string(text.substr(0, 2)), nullptr, 16);
      text.remove_prefix(2);
      return static_cast<char>(code);
    }
    default:
      throw std::runtime_error(std::string("unknown escape \\") + kind);
  }
}

}  // namespace

std::string unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '\\') {
      out += take_escape(text);
    } else if (c == '{') {
      const auto star = text.find('*');
      const auto end = text.find('}', star);
      const auto part = unescaped(text.substr(0, star));
      const int times = std::stoi(std::string(text.substr(star + 1, end - star - 1)));
      for (int i = 0; i < times; ++i) out += part;
      text.remove_prefix(end + 1);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace quarq::test
