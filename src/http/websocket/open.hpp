// A WebSocket over a connection that is there, in the client's role.
#pragma once

#include <memory>
#include <string>

#include <quarq/awaitable.hpp>
#include <quarq/errors.hpp>
#include <quarq/http/fields.hpp>
#include <quarq/http/websocket.hpp>

#include "http/net/stream.hpp"

namespace quarq::http::ws {

/// The server does not want a WebSocket, or does not speak the protocol.
class handshake_error : public error {
 public:
  handshake_error(const std::string& what, int status) : error(what), status_(status) {}
  /// That of the server's answer.
  int status() const noexcept { return status_; }

 private:
  int status_;
};

/// Sends the request, reads the answer. `headers` are sent besides those of the handshake. Throws handshake_error, and
/// what stream throws.
awaitable<websocket> open_websocket(std::unique_ptr<stream> connected, std::string host, std::string target,
                                    fields headers, websocket_options options);

}  // namespace quarq::http::ws
