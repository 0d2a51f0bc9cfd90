// What follows an answer with 101: a WebSocket.
#pragma once

#include <memory>
#include <utility>

#include <quarq/detail/http_websocket.hpp>

#include "http/websocket/handshake.hpp"

namespace quarq::http::detail {

struct upgrade {
  upgrade(std::shared_ptr<const websocket_setup> with, websocket_server by, ws::agreement made)
      : setup(std::move(with)), serve(std::move(by)), agreed(std::move(made)) {}
  std::shared_ptr<const websocket_setup> setup;
  websocket_server serve;
  ws::agreement agreed;
};

}  // namespace quarq::http::detail
