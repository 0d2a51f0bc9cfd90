#include "otlp/stored_spans.hpp"

#include <variant>

namespace quarq::otlp {

void stored_spans::add(const finished_span& one) {
  // Spans that follow each other are mostly of one queue.
  if (shared_.empty() || shared_.back().get() != &one.shared)
    shared_.push_back(one.shared.shared_from_this());
  for (const auto& [key, value] : one.attributes) {
    const auto* const text = std::get_if<std::string_view>(&value);
    attributes_.push_back({.key = key,
                           .is_text = text != nullptr,
                           .text = text != nullptr ? put(*text) : text_place(),
                           .number = text != nullptr ? 0 : std::get<std::int64_t>(value)});
  }
  for (const auto& link : one.links) links_.push_back(put(link));
  spans_.push_back({.context = put(one.context),
                    .parent_span_id = one.parent_span_id,
                    .kind = one.kind,
                    .status = one.status,
                    .name = put(one.name),
                    .status_message = put(one.status_message),
                    .start = one.start,
                    .end = one.end,
                    .shared = shared_.size() - 1,
                    .attributes = one.attributes.size(),
                    .links = one.links.size(),
                    .dropped_links = one.dropped_links});
}

void stored_spans::clear() noexcept {
  spans_.clear();
  attributes_.clear();
  links_.clear();
  shared_.clear();
  texts_.clear();
}

stored_spans::text_place stored_spans::put(std::string_view text) {
  const auto at = texts_.size();
  texts_ += text;
  return {at, text.size()};
}

stored_spans::stored_context stored_spans::put(const span_context& one) {
  return {one.trace_id, one.span_id, one.sampled, put(one.trace_state)};
}

std::string_view stored_spans::text(text_place where) const noexcept {
  return std::string_view(texts_).substr(where.at, where.size);
}

span_context stored_spans::context(const stored_context& of) const {
  return {of.trace_id, of.span_id, of.sampled, std::string(text(of.trace_state))};
}

void stored_spans::fill(const stored_span& one, place& at) const {
  at.context = context(one.context);
  at.attributes.clear();
  for (std::size_t i = 0; i < one.attributes; ++i) {
    const auto& its = attributes_[at.next_attribute++];
    if (its.is_text) {
      at.attributes.push_back({its.key, text(its.text)});
    } else {
      at.attributes.push_back({its.key, its.number});
    }
  }
  at.links.clear();
  for (std::size_t i = 0; i < one.links; ++i) at.links.push_back(context(links_[at.next_link++]));
}

finished_span stored_spans::view(const stored_span& one, const place& at) const {
  return {.context = at.context,
          .parent_span_id = one.parent_span_id,
          .name = text(one.name),
          .kind = one.kind,
          .start = one.start,
          .end = one.end,
          .shared = *shared_[one.shared],
          .attributes = at.attributes,
          .links = at.links,
          .dropped_links = one.dropped_links,
          .status = one.status,
          .status_message = text(one.status_message)};
}

}  // namespace quarq::otlp
