// Server-sent events as a stream: text/event-stream.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/awaitable.hpp>
#include <quarq/detail/must_await.hpp>
#include <quarq/http/client.hpp>

namespace quarq::http {

/// What a server tells: one block of a text/event-stream.
struct server_event {
  std::string type = "message";
  std::string data;  ///< its lines, with "\n" between them
  std::string id;    ///< the last one that the server has sent, perhaps with an earlier event
};

struct events_options {
  /// Sent besides those of the client.
  fields headers{};
  /// The pause before the stream is asked for again, unless the server sets another.
  std::chrono::milliseconds retry{3'000};
  /// How long the header of an answer may take.
  std::chrono::milliseconds connect_timeout{30'000};
  /// How long the server may be silent before the connection counts as dead; 0: for ever. Many servers send a
  /// comment every 15 seconds.
  std::chrono::milliseconds max_silence{0};
  /// In bytes, for one event.
  std::size_t max_event = std::size_t{1} << 20;
};

/// Events from one URL, for as long as the server has some. Where the connection ends it is opened again, with
/// the id of the last event (Last-Event-ID), so that the server can go on from there.
///
///     quarq::http::event_stream news(web, "https://example.org/news");
///     while (true) {
///       const auto event = co_await news.next();
///       if (!event) break;
///       ...
///     }
class event_stream {
 public:
  /// Does not connect yet. The stream shares the client's connections and settings; the client may be destroyed.
  event_stream(client& web, std::string url, events_options options = {});
  event_stream(event_stream&&) noexcept;
  event_stream& operator=(event_stream&&) noexcept;
  ~event_stream();

  /// The next event; nullopt once the server has answered 204: it has no more. Throws status_error for any other
  /// answer than 200, request_error if no connection can be made at first, and operation_aborted when cancelled,
  /// after which next() opens the stream again.
  [[QUARQ_MUST_AWAIT]] awaitable<std::optional<server_event>> next();

  /// Of the last event that had one.
  const std::string& last_id() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace quarq::http
