// A text/event-stream as events, without I/O (HTML standard, 9.2.6).
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/http/events.hpp>

namespace quarq::http {

class event_parser {
 public:
  explicit event_parser(std::size_t max_event) : max_event_(max_event) {}

  /// Throws quarq::decode_error for an event that is too large.
  void feed(std::string_view bytes);
  /// An event that is complete, the oldest first.
  std::optional<server_event> next();
  /// The connection has ended: what is not complete is dropped.
  void reset();

  const std::string& last_id() const noexcept { return last_id_; }
  /// The pause that the server asks for, if it has.
  std::optional<std::chrono::milliseconds> retry() const noexcept { return retry_; }

 private:
  void take_line(std::string_view line);
  void take_field(std::string_view name, std::string_view value);
  void end_event();

  std::size_t max_event_;
  std::string line_;
  bool after_cr_ = false;
  bool at_start_ = true;  // a byte order mark may come
  std::string type_;
  std::string data_;
  bool has_data_ = false;
  std::string id_;  // becomes last_id_ when the event ends
  std::string last_id_;
  std::optional<std::chrono::milliseconds> retry_;
  std::deque<server_event> events_;
};

}  // namespace quarq::http
