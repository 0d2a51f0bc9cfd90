// Spans that wait to be sent.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/trace.hpp>

namespace quarq::otlp {

/// Copies of spans in a few blocks of memory, which it keeps: so to add one takes no more than to copy it, and the
/// allocator is not asked. Thread safety: none.
class stored_spans {
 public:
  void add(const finished_span& one);
  std::size_t size() const noexcept { return spans_.size(); }
  bool empty() const noexcept { return spans_.empty(); }
  void clear() noexcept;

  /// Calls use(const finished_span&) for each, in their order. What that refers to is there until it returns.
  template <class Use>
  void for_each(const Use& use) const {
    place at;
    for (const auto& one : spans_) {
      fill(one, at);
      use(view(one, at));
    }
  }

 private:
  struct text_place {
    std::size_t at = 0, size = 0;
  };
  struct stored_context {
    std::array<std::uint8_t, 16> trace_id;
    std::array<std::uint8_t, 8> span_id;
    bool sampled;
    text_place trace_state;
  };
  struct stored_attribute {
    std::string_view key;
    bool is_text;
    text_place text;
    std::int64_t number;
  };
  struct stored_span {
    stored_context context;
    std::array<std::uint8_t, 8> parent_span_id;
    span_kind kind;
    span_status status;
    text_place name, status_message;
    std::chrono::system_clock::time_point start, end;
    std::size_t shared, attributes, links, dropped_links;
  };
  // Of one span, while they are gone through.
  struct place {
    span_context context;
    std::vector<span_attribute> attributes;
    std::vector<span_context> links;
    std::size_t next_attribute = 0, next_link = 0;
  };

  text_place put(std::string_view text);
  stored_context put(const span_context& one);
  std::string_view text(text_place where) const noexcept;
  span_context context(const stored_context& of) const;
  void fill(const stored_span& one, place& at) const;
  finished_span view(const stored_span& one, const place& at) const;

  std::vector<stored_span> spans_;
  std::vector<stored_attribute> attributes_;  // of all spans, one after the other
  std::vector<stored_context> links_;
  std::vector<std::shared_ptr<const shared_attributes>> shared_;
  std::string texts_;
};

}  // namespace quarq::otlp
