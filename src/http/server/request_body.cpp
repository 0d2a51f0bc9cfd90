#include "http/server/request_body.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <quarq/http/problem.hpp>

namespace quarq::http {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t large_space = std::size_t{64} << 10;
constexpr std::size_t small_space = std::size_t{4} << 10;
// Of a body that no handler wanted: more costs more than a new connection.
constexpr std::uint64_t max_skipped = std::uint64_t{64} << 10;
constexpr milliseconds skip_timeout{5'000};
constexpr std::uint64_t bytes_per_second = 240;

std::size_t space_for(const request_parser& parser) {
  return parser.content_length().value_or(large_space) >= large_space ? large_space : small_space;
}

}  // namespace

void request_body::begin() noexcept {
  is_over_ = is_broken_ = sent_continue_ = false;
  received_ = 0;
  waited_ = milliseconds(0);
}

awaitable<std::string_view> request_body::read_some() {
  turn_.spend();
  if (turn_.is_over()) co_await async::next_turn();
  while (!is_over_) {
    const auto step = parser_.feed(io_.in.unread());
    io_.in.use(step.used);
    if (step.event == parse_event::end) is_over_ = true;
    if (step.event == parse_event::body && !step.data.empty()) {
      received_ += step.data.size();
      co_return step.data;
    }
    if (step.event == parse_event::failed) {
      is_broken_ = true;
      throw problem(parser_.error().status, parser_.error().what);
    }
    if (step.event != parse_event::needs_more) continue;
    if (parser_.expects_continue() && !std::exchange(sent_continue_, true) && io_.in.empty() &&
        received_ == 0) {
      io_.out += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    if (!io_.send_now()) co_await io_.send_rest();
    const bool more = co_await read_more();
    if (more) continue;
    is_broken_ = true;
    if (io_.timed_out()) throw problem(408, "the body comes too slowly");
    throw problem(400, "the connection was closed within the body");
  }
  co_return std::string_view();
}

// How long the client may still let us wait, in all: a time, and a second more for each 240 bytes.
awaitable<bool> request_body::read_more() {
  const milliseconds earned(received_ * 1000 / bytes_per_second);
  const auto left = std::max(timeout_ + earned - waited_, milliseconds(0));
  const auto space = space_for(parser_);
  const auto began = std::chrono::steady_clock::now();
  const bool more = co_await io_.read_more(waits_for::body, left, space);
  waited_ += std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
  io_.watch_peer();
  co_return more;
}

bool request_body::can_be_skipped() const {
  if (is_broken_) return false;
  if (is_over_ || !parser_.has_body()) return true;
  if (parser_.expects_continue() && !sent_continue_ && io_.in.empty()) return false;
  const auto length = parser_.content_length().value_or(0);
  return length - std::min(length, received_) <= max_skipped;
}

awaitable<bool> request_body::skip() {
  const auto space = space_for(parser_);
  std::uint64_t skipped = 0;
  while (!is_over_) {
    const auto step = parser_.feed(io_.in.unread());
    io_.in.use(step.used);
    if (step.event == parse_event::end) break;
    if (step.event == parse_event::failed) co_return false;
    skipped += step.data.size();
    if (skipped > max_skipped) co_return false;
    if (step.event != parse_event::needs_more) continue;
    if (!io_.send_now()) co_await io_.send_rest();
    const bool more = co_await io_.read_more(waits_for::body, skip_timeout, space);
    if (!more) co_return false;
  }
  co_return true;
}

}  // namespace quarq::http
