#include "broker/redis_common/script_loader.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "broker/redis_common/byte_limits.hpp"
#include "broker/redis_common/embedded.hpp"

namespace quarq::broker::redis_common {

namespace {

std::string_view find_part(const std::vector<script_part>& parts, std::string_view name) {
  const auto found =
      std::find_if(parts.begin(), parts.end(), [&](const auto& part) { return part.first == name; });
  if (found == parts.end()) throw std::out_of_range("no script has the part " + std::string(name));
  return found->second;
}

std::string assemble(std::string_view script, const std::vector<script_part>& parts) {
  constexpr std::string_view mark = "-- needs: ";
  auto text = fmt::format("local max_shared_payload, max_reply, max_payload_reply = {}, {}, {}\n",
                          max_shared_payload, max_reply, max_payload_reply);
  for (auto at = script.find(mark); at != std::string_view::npos; at = script.find(mark)) {
    const auto end = std::min(script.size(), script.find('\n', at) + 1);
    auto names = script.substr(at + mark.size(), end - 1 - (at + mark.size()));
    text += script.substr(0, end);
    script.remove_prefix(end);
    while (!names.empty()) {
      const auto name = names.substr(0, names.find(' '));
      names.remove_prefix(std::min(names.size(), name.size() + 1));
      text += find_part(parts, name);
    }
  }
  return text.append(script);
}

}  // namespace

script_set::script_set(std::initializer_list<script_part> shared) : parts_(shared) {
  parts_.insert(parts_.end(), {{"shared_calls", shared_calls_lua},
                               {"shared_once", shared_once_lua},
                               {"shared_silence", shared_silence_lua},
                               {"shared_waiters", shared_waiters_lua},
                               {"shared_live", shared_live_lua},
                               {"shared_wake", shared_wake_lua},
                               {"shared_paused", shared_paused_lua},
                               {"shared_marks", shared_marks_lua},
                               {"shared_stats", shared_stats_lua},
                               {"shared_enqueued", shared_enqueued_lua},
                               {"shared_minutes", shared_minutes_lua},
                               {"shared_tell", shared_tell_lua},
                               {"shared_purged", shared_purged_lua}});
}

const script_set::script& script_set::add(std::string_view text) {
  return scripts_.emplace_back(texts_.emplace_back(assemble(text, parts_)));
}

}  // namespace quarq::broker::redis_common
