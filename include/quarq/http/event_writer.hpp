// Server-sent events, as a server writes them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <quarq/awaitable.hpp>
#include <quarq/http/answers.hpp>
#include <quarq/http/response.hpp>

namespace quarq::http {

/// Writes one text/event-stream. Belongs to one response.
class event_writer {
 public:
  explicit event_writer(body_writer& out) : out_(&out) {}

  /// One event. Lines of `data` may end in any way. `type` "" is "message"; `id` "" leaves the last one. Returns when
  /// the connection has taken it. Throws usage_error for a type or an id with CR, LF or NUL, which could be read as
  /// another event, and boost::system::system_error when the peer is gone.
  [[QUARQ_MUST_AWAIT]] awaitable<void> send(std::string_view data, std::string_view type = {},
                                            std::string_view id = {});
  /// A comment, so that nothing between here and the client takes the connection for dead.
  [[QUARQ_MUST_AWAIT]] awaitable<void> keep_alive();

 private:
  body_writer* out_;
};

/// An answer whose body is a stream of events, which lasts until `write` returns or the client goes away:
///     return http::events([](http::event_writer& out) { return report(out); });
/// A client that comes again says the id of its last event in the field Last-Event-ID.
response events(std::function<awaitable<void>(event_writer&)> write);

}  // namespace quarq::http
