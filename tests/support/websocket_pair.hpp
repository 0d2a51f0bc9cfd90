// Two ends of a WebSocket over loopback, and a peer that sends whatever bytes a test wants.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/http/fields.hpp>
#include <quarq/http/websocket.hpp>

#include "http/net/stream.hpp"

namespace quarq::test {

struct stream_pair {
  std::unique_ptr<http::stream> client;
  std::unique_ptr<http::stream> server;
};
enum class transport { tcp, tls };
/// Connected on this loop.
awaitable<stream_pair> connected_streams(transport how = transport::tcp);

/// The server's part of the handshake. Throws std::runtime_error if the request is refused, after the answer.
awaitable<http::websocket> accept_websocket(std::unique_ptr<http::stream> connected,
                                            http::websocket_options options);

struct websocket_pair {
  websocket_pair(http::websocket c, http::websocket s) : client(std::move(c)), server(std::move(s)) {}
  http::websocket client;
  http::websocket server;
};
awaitable<websocket_pair> connected_websockets(http::websocket_options options = {},
                                               transport how = transport::tcp);

/// The server's end is a WebSocket, the client's a stream that has done the handshake.
struct half_raw_pair {
  half_raw_pair(std::unique_ptr<http::stream> c, http::websocket s)
      : client(std::move(c)), server(std::move(s)) {}
  std::unique_ptr<http::stream> client;
  http::websocket server;
};
awaitable<half_raw_pair> websocket_and_raw_client(http::websocket_options options = {});

/// Until the peer ends.
awaitable<std::string> read_to_end(http::stream& from);

}  // namespace quarq::test
