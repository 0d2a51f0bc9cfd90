#include "debug/document.hpp"

namespace quarq::debug {

void document::text(look style, std::string_view text) {
  tokens_.push_back({kind::text, style, std::string(text)});
}

void document::open(std::string_view opening, bool fill, char closing) {
  tokens_.push_back({kind::open, look::plain, {}});
  text(look::plain, opening);
  groups_.push_back({fill, true, closing});
}

void document::element() {
  group& current = groups_.back();
  if (current.is_empty) {
    tokens_.push_back({kind::first, look::plain, {}});
  } else {
    text(look::plain, ",");
    tokens_.push_back({current.fill ? kind::fill : kind::next, look::plain, {}});
  }
  current.is_empty = false;
}

void document::close() {
  if (!groups_.back().is_empty) tokens_.push_back({kind::last, look::plain, {}});
  text(look::plain, {&groups_.back().closing, 1});
  groups_.pop_back();
  tokens_.push_back({kind::close, look::plain, {}});
}

void document::open_block() {
  tokens_.push_back({kind::open, look::plain, {}});
  line_break();
}

void document::cut(mark end) {
  tokens_.resize(end.tokens);
  groups_.resize(end.groups);
}

}  // namespace quarq::debug
