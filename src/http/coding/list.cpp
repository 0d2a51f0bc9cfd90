#include "http/coding/list.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "http/message/characters.hpp"

namespace quarq::http {

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
    if (const auto one = base::trimmed(list.substr(begin, end - begin)); !one.empty())
      elements.push_back(one);
    begin = end + 1;
  }
  return elements;
}

}  // namespace quarq::http
