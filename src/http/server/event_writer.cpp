#include "http/server/event_writer.hpp"

#include <algorithm>
#include <utility>

#include <quarq/errors.hpp>
#include <quarq/http/event_writer.hpp>

namespace quarq::http {

namespace {

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += '\n';
}

void check_one_line(std::string_view text) {
  if (text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos) return;
  throw usage_error("http::event_writer: the type and the id of an event must be one line without NUL");
}

// CR LF, CR and LF end a line.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find_first_of("\r\n"), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(end);
  text.remove_prefix(text.starts_with("\r\n") ? 2 : text.empty() ? 0 : 1);
  return line;
}

awaitable<void> write_events(std::function<awaitable<void>(event_writer&)> write, body_writer& out) {
  event_writer events(out);
  co_await write(events);
}

}  // namespace

std::string format_event(std::string_view data, std::string_view type, std::string_view id) {
  check_one_line(type);
  check_one_line(id);
  std::string out;
  if (!type.empty()) append_line(out, "event", type);
  if (!id.empty()) append_line(out, "id", id);
  bool ends_in_line = data.empty();
  while (!data.empty()) {
    ends_in_line = data.size() > data.find_first_of("\r\n");
    append_line(out, "data", take_line(data));
  }
  if (ends_in_line) append_line(out, "data", "");
  out += '\n';
  return out;
}

awaitable<void> event_writer::send(std::string_view data, std::string_view type, std::string_view id) {
  const auto bytes = format_event(data, type, id);
  co_await out_->write(bytes);
}

awaitable<void> event_writer::keep_alive() {
  co_await out_->write(":\n\n");
}

response events(std::function<awaitable<void>(event_writer&)> write) {
  auto answer = streamed("text/event-stream",
                         [write = std::move(write)](body_writer& out) { return write_events(write, out); });
  answer.headers.set("Cache-Control", "no-store");
  // nginx would keep events until its buffer is full.
  answer.headers.set("X-Accel-Buffering", "no");
  return answer;
}

}  // namespace quarq::http
