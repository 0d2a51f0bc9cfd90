#include "broker/redis/script_parts.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <string>

namespace quarq::broker::redis {

namespace {

std::string_view keep_for_ever(std::string text) {
  static std::mutex mutex;
  static std::deque<std::string> texts;
  const std::lock_guard lock(mutex);
  return texts.emplace_back(std::move(text));
}

}  // namespace

std::string_view assemble(std::string_view script, const script_parts& parts) {
  constexpr std::string_view mark = "-- needs: ";
  std::string text;
  for (auto at = script.find(mark); at != std::string_view::npos; at = script.find(mark)) {
    const auto end = std::min(script.size(), script.find('\n', at) + 1);
    auto names = script.substr(at + mark.size(), end - 1 - (at + mark.size()));
    text += script.substr(0, end);
    script.remove_prefix(end);
    while (!names.empty()) {
      const auto name = names.substr(0, names.find(' '));
      names.remove_prefix(std::min(names.size(), name.size() + 1));
      text += parts.at(name);
    }
  }
  return keep_for_ever(text.append(script));
}

}  // namespace quarq::broker::redis
