#include "http/client/event_parser.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "http/message/characters.hpp"

namespace quarq::http {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::chrono::milliseconds max_retry = std::chrono::hours(1);

}  // namespace

void event_parser::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (after_cr_ && bytes.front() == '\n') bytes.remove_prefix(1);
    after_cr_ = false;
    const auto end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    if (line_.size() + data_.size() + end > max_event_)
      throw decode_error(fmt::format("an event of the server is larger than {} bytes", max_event_));
    line_.append(bytes.substr(0, end));
    if (end == bytes.size()) return;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    std::string_view line = line_;
    if (at_start_ && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
    at_start_ = false;
    take_line(line);
    line_.clear();
  }
}

void event_parser::take_line(std::string_view line) {
  if (line.empty()) {
    end_event();
    return;
  }
  const auto colon = line.find(':');
  auto value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  // Before a colon at the very beginning stands a comment.
  if (colon != 0) take_field(line.substr(0, colon), value);
}

void event_parser::take_field(std::string_view name, std::string_view value) {
  if (name == "event") {
    type_ = value;
  } else if (name == "data") {
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  } else if (name == "id") {
    // The standard says so of NUL. Nor can other control characters be sent back, in Last-Event-ID.
    if (all_are(value, character::field_value)) id_ = value;
  } else if (name == "retry") {
    long number = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool is_number = failure == std::errc() && end == value.data() + value.size() && number >= 0;
    if (is_number) retry_ = std::min(std::chrono::milliseconds(number), max_retry);
  }
}

void event_parser::end_event() {
  last_id_ = id_;
  if (has_data_) {
    server_event event;
    if (!type_.empty()) event.type = type_;
    event.data = std::move(data_);
    event.id = last_id_;
    events_.push_back(std::move(event));
  }
  type_.clear();
  data_.clear();
  has_data_ = false;
}

std::optional<server_event> event_parser::next() {
  if (events_.empty()) return std::nullopt;
  auto event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void event_parser::reset() {
  line_.clear();
  after_cr_ = false;
  at_start_ = true;
  type_.clear();
  data_.clear();
  has_data_ = false;
  id_ = last_id_;
}

}  // namespace quarq::http
