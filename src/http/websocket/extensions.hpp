// Sec-WebSocket-Extensions: permessage-deflate (RFC 7692, 7), which is the only one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/websocket/deflate.hpp"

namespace quarq::http::ws {

/// What a client offers.
inline constexpr std::string_view deflate_offer =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

struct accepted_offer {
  std::string answer;  ///< the field's value
  compression agreed;
};
/// A server: the first of the client's offers that can be met, if any. `values` are those of all the fields.
std::optional<accepted_offer> choose_offer(const std::vector<std::string_view>& values);

struct judged_extensions {
  std::string refused;  ///< a clause for people; "": all is well
  std::optional<compression> agreed;
};
/// A client: what the server's answer means. `offered`: whether deflate_offer was sent.
judged_extensions judge_extensions(const std::vector<std::string_view>& values, bool offered);

}  // namespace quarq::http::ws
