#include <exception>
#include <utility>

#include <fmt/format.h>

#include <quarq/http/events.hpp>
#include <quarq/time.hpp>

#include "async/turn.hpp"
#include "http/client/client_impl.hpp"
#include "http/client/event_parser.hpp"
#include "http/client/outgoing.hpp"
#include "http/client/transaction.hpp"

namespace quarq::http {

namespace {
// A server may send thousands of them in one packet.
constexpr std::size_t events_in_a_row = 16;
}  // namespace

struct event_stream::state {
  state(std::shared_ptr<client::impl> of, std::string from, events_options with)
      : web(std::move(of)), url(std::move(from)), options(std::move(with)), parser(options.max_event) {}

  outgoing make_request() const;
  awaitable<bool> open();
  awaitable<std::string> read();
  std::chrono::milliseconds pause() const { return parser.retry().value_or(options.retry); }

  std::shared_ptr<client::impl> web;
  std::string url;
  events_options options;
  event_parser parser;
  async::turn turn{events_in_a_row};
  std::unique_ptr<transaction> answer;  // null: not connected
  bool has_been_open = false;
};

outgoing event_stream::state::make_request() const {
  request_options request;
  request.headers = options.headers;
  auto made = make_outgoing(web->defaults(), "GET", url, request);
  made.headers.set("Accept", "text/event-stream");
  made.headers.set("Cache-Control", "no-store");
  if (!parser.last_id().empty()) made.headers.set("Last-Event-ID", parser.last_id());
  made.timeout = options.connect_timeout;
  return made;
}

// Returns false if the server has no more events.
awaitable<bool> event_stream::state::open() {
  auto one = std::make_unique<transaction>(web, make_request());
  co_await with_deadline(*one, one->begin());
  const int status = one->status();
  if (status == 204) co_return false;
  const bool is_stream = status == 200 && one->headers()["Content-Type"].starts_with("text/event-stream");
  if (!is_stream) {
    response refusal;
    refusal.status = status;
    refusal.headers = one->headers();
    throw status_error("GET", url, std::move(refusal));
  }
  parser.reset();
  answer = std::move(one);
  has_been_open = true;
  co_return true;
}

// "": the connection has ended, in whatever way.
awaitable<std::string> event_stream::state::read() {
  std::string bytes;
  try {
    if (options.max_silence.count() == 0)
      bytes = co_await answer->read();
    else
      bytes = co_await with_timeout(answer->read(), options.max_silence);
  } catch (const request_error&) {
  } catch (const timed_out&) {
  }
  co_return bytes;
}

event_stream::event_stream(client& web, std::string url, events_options options)
    : state_(std::make_unique<state>(web.impl_, std::move(url), std::move(options))) {}
event_stream::event_stream(event_stream&&) noexcept = default;
event_stream& event_stream::operator=(event_stream&&) noexcept = default;
event_stream::~event_stream() = default;

const std::string& event_stream::last_id() const noexcept {
  return state_->parser.last_id();
}

awaitable<std::optional<server_event>> event_stream::next() {
  auto& self = *state_;
  // Before an event is taken: it would be lost if this is cancelled.
  self.turn.spend();
  if (self.turn.is_over()) co_await async::next_turn();
  while (true) {
    if (auto event = self.parser.next()) co_return event;
    if (!self.answer) {
      std::exception_ptr failure;
      try {
        const bool has_more = co_await self.open();
        if (!has_more) co_return std::nullopt;
      } catch (const request_error&) {
        failure = std::current_exception();
      }
      if (failure && !self.has_been_open) std::rethrow_exception(failure);
      if (failure) co_await sleep_for(self.pause());
      continue;
    }
    // Cancelled here, it brings nothing more, and the next call opens it again.
    const auto bytes = co_await self.read();
    if (bytes.empty()) {
      self.answer.reset();
      co_await sleep_for(self.pause());
    } else {
      self.parser.feed(bytes);
    }
  }
}

}  // namespace quarq::http
