// What jobs say of themselves, as one line of a log can show it: others chose these texts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "broker/worker_log_format.hpp"
#include "codecs/json.hpp"
#include "codecs/utf8.hpp"

namespace quarq::workers {

/// How much of each is logged, in bytes. The rest is cut.
inline constexpr std::size_t max_logged_id = 255;
inline constexpr std::size_t max_logged_task = 200;
inline constexpr std::size_t max_logged_error = 1'000;

/// The text itself where it can be shown as it is; else what codecs::printable makes of it, in `storage`.
inline std::string_view shown(std::string_view text, std::size_t limit, std::string& storage) {
  const auto is_plain = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (text.size() <= limit && std::all_of(text.begin(), text.end(), is_plain)) return text;
  storage = codecs::printable(text, limit);
  return storage;
}

/// A msgpack value as JSON, cut; or what is wrong with it.
inline std::string shown_json(std::string_view encoded) {
  return broker::shown_by([&] { return codecs::to_json(encoded, broker::max_shown); });
}

}  // namespace quarq::workers
