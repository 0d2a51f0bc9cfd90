// An exporter of traces that keeps them.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/trace.hpp>

namespace quarq::test {

/// A copy of a span.
struct kept_span {
  span_context context;
  std::array<std::uint8_t, 8> parent_span_id{};
  std::string name;
  span_kind kind = span_kind::internal;
  std::chrono::system_clock::time_point start, end;
  std::map<std::string, std::string> attributes;
  std::vector<span_context> links;
  std::size_t dropped_links = 0;
  span_status status = span_status::unset;
  std::string status_message;
};

inline std::string text_of(const span_attribute& one) {
  const auto* const number = std::get_if<std::int64_t>(&one.value);
  return number != nullptr ? std::to_string(*number) : std::string(std::get<std::string_view>(one.value));
}

/// Keeps all spans, for a test to look at.
class kept_spans final : public span_exporter {
 public:
  void add(const finished_span& one) noexcept override {
    kept_span copy{.context = one.context,
                   .parent_span_id = one.parent_span_id,
                   .name = std::string(one.name),
                   .kind = one.kind,
                   .start = one.start,
                   .end = one.end,
                   .attributes = {},
                   .links = {one.links.begin(), one.links.end()},
                   .dropped_links = one.dropped_links,
                   .status = one.status,
                   .status_message = std::string(one.status_message)};
    for (const auto& all : {one.shared.all(), one.attributes})
      for (const auto& attribute : all)
        EXPECT_TRUE(copy.attributes.emplace(attribute.key, text_of(attribute)).second) << attribute.key;
    const std::lock_guard lock(mutex_);
    spans_.push_back(std::move(copy));
  }
  std::vector<kept_span> all() const {
    const std::lock_guard lock(mutex_);
    return spans_;
  }
  std::vector<kept_span> named(const std::string& name) const {
    auto found = all();
    std::erase_if(found, [&](const auto& one) { return one.name != name; });
    return found;
  }
  /// The only one with this name that is about this task.
  kept_span of(const std::string& name, const std::string& task) const;

 private:
  mutable std::mutex mutex_;
  std::vector<kept_span> spans_;
};

/// The value of an attribute; empty if there is none.
inline std::string attribute(const kept_span& of, const std::string& key) {
  const auto found = of.attributes.find(key);
  return found == of.attributes.end() ? "" : found->second;
}

inline kept_span kept_spans::of(const std::string& name, const std::string& task) const {
  auto found = named(name);
  std::erase_if(found, [&](const auto& one) { return attribute(one, "quarq.task") != task; });
  EXPECT_EQ(found.size(), 1u) << name << " of " << task;
  return found.empty() ? kept_span() : found.front();
}

inline bool leads_to(const kept_span& from, const kept_span& to) {
  return from.links.size() == 1 && from.links[0].trace_id == to.context.trace_id &&
         from.links[0].span_id == to.context.span_id;
}
inline bool is_child(const kept_span& one, const kept_span& of) {
  return one.context.trace_id == of.context.trace_id && one.parent_span_id == of.context.span_id;
}
inline bool is_root(const kept_span& one) {
  return one.parent_span_id == decltype(one.parent_span_id){};
}

}  // namespace quarq::test
