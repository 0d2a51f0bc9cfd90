// An exporter of traces that keeps them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/trace.hpp>

namespace quarq::test {

/// Keeps all spans, for a test to look at.
class kept_spans final : public span_exporter {
 public:
  void add(finished_span span) noexcept override {
    const std::lock_guard lock(mutex_);
    spans_.push_back(std::move(span));
  }
  std::vector<finished_span> all() const {
    const std::lock_guard lock(mutex_);
    return spans_;
  }
  std::vector<finished_span> named(const std::string& name) const {
    auto found = all();
    std::erase_if(found, [&](const auto& one) { return one.name != name; });
    return found;
  }
  /// The only one with this name that is about this task.
  finished_span of(const std::string& name, const std::string& task) const;

 private:
  mutable std::mutex mutex_;
  std::vector<finished_span> spans_;
};

/// The value of an attribute; empty if there is none.
inline std::string attribute(const finished_span& of, std::string_view key) {
  for (const auto& [name, value] : of.attributes) {
    if (name != key) continue;
    const auto* const number = std::get_if<std::int64_t>(&value);
    return number != nullptr ? std::to_string(*number) : std::get<std::string>(value);
  }
  return "";
}

inline finished_span kept_spans::of(const std::string& name, const std::string& task) const {
  auto found = named(name);
  std::erase_if(found, [&](const auto& one) { return attribute(one, "quarq.task") != task; });
  EXPECT_EQ(found.size(), 1u) << name << " of " << task;
  return found.empty() ? finished_span() : found.front();
}

inline bool leads_to(const finished_span& from, const finished_span& to) {
  return from.links.size() == 1 && from.links[0].trace_id == to.context.trace_id &&
         from.links[0].span_id == to.context.span_id;
}
inline bool is_child(const finished_span& one, const finished_span& of) {
  return one.context.trace_id == of.context.trace_id && one.parent_span_id == of.context.span_id;
}
inline bool is_root(const finished_span& one) {
  return one.parent_span_id == decltype(one.parent_span_id){};
}

}  // namespace quarq::test
