#include "workers/log/json_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "codecs/json_text.hpp"
#include "codecs/utf8.hpp"

namespace quarq::workers {
namespace {

constexpr std::size_t max_listed = 100;
constexpr std::size_t max_listed_name = 200;

}  // namespace

std::string json_string(std::string_view text, std::size_t limit) {
  if (limit == std::string_view::npos) return codecs::json_string(text);
  auto shown = codecs::to_utf8(text);
  if (shown.size() > limit) {
    shown.resize(codecs::cut_at(shown, limit));
    shown += codecs::ellipsis;
  }
  return codecs::json_string(shown);
}

json_members& json_members::ms(std::string_view key, std::chrono::microseconds value) {
  const auto us = std::max<std::int64_t>(value.count(), 0);
  return raw(key, fmt::format("{}.{:03}", us / 1'000, us % 1'000));
}

json_members& json_members::texts(std::string_view key, std::span<const std::string> values) {
  std::string all = "[";
  for (const auto& value : values.first(std::min(values.size(), max_listed))) {
    if (all.size() > 1) all += ',';
    all += json_string(value, max_listed_name);
  }
  return raw(key, all + "]");
}

json_members& json_members::raw(std::string_view key, std::string_view value) {
  if (!members_.empty()) members_ += ',';
  members_ += json_string(key);
  members_ += ':';
  members_ += value;
  return *this;
}

}  // namespace quarq::workers
