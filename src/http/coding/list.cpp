#include "http/coding/list.hpp"

#include <algorithm>

namespace quarq::http {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> list_elements(std::string_view list) {
  std::vector<std::string_view> elements;
  std::size_t begin = 0;
  bool quoted = false;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    const bool at_end = i == list.size();
    if (!at_end && list[i] == '"') quoted = !quoted;
    if (quoted && i + 1 < list.size() && list[i] == '\\') ++i;
    if (!at_end && (quoted || list[i] != ',')) continue;
    const auto end = std::min(i, list.size());
    if (const auto one = trimmed(list.substr(begin, end - begin)); !one.empty()) elements.push_back(one);
    begin = end + 1;
  }
  return elements;
}

}  // namespace quarq::http
