// The opening handshake (RFC 6455, 4; RFC 7692, 7) of either role, without I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/http/fields.hpp>
#include <quarq/http/websocket.hpp>

#include "http/websocket/deflate.hpp"

namespace quarq::http::ws {

/// What both sides agreed upon.
struct agreement {
  std::string subprotocol;  ///< "": none
  std::optional<compression> compressed;
};

/// A key that nobody has used: 16 random bytes in base 64.
std::string new_key();
/// What a server answers to it.
std::string accept_of(std::string_view key);

// ---- the server's part

struct upgrade_request {
  std::string_view method;
  int minor_version = 1;
  const fields& headers;
};

struct upgrade_answer {
  int status = 101;  ///< otherwise 400, 403, 405 or 426
  std::string what;  ///< why not
  fields headers;    ///< of the answer, without those of its body
  agreement agreed;
};

/// What a server answers to a request for a WebSocket.
upgrade_answer answer_upgrade(const upgrade_request& request, const websocket_options& options);

/// Whether a page of this origin may connect to the host that it names in Host. `allowed` as in
/// websocket_options::origins.
bool origin_is_allowed(std::string_view origin, std::string_view host, std::string_view allowed);

// ---- the client's part

/// The fields of the request, without Host.
fields upgrade_fields(std::string_view key, const websocket_options& options);

struct upgrade_result {
  std::string refused;  ///< "": the connection is a WebSocket from now on
  agreement agreed;
};

/// What a client makes of the answer.
upgrade_result judge_answer(int status, const fields& headers, std::string_view key,
                            const websocket_options& options);

}  // namespace quarq::http::ws
