// The words of RFC 6455: who speaks, what kind a frame is, and which codes may close a connection.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quarq::http::ws {

enum class role { client, server };

constexpr role other(role of) noexcept {
  return of == role::client ? role::server : role::client;
}

enum class opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

constexpr bool is_control(opcode code) noexcept {
  return static_cast<std::uint8_t>(code) >= 8;
}

inline constexpr std::size_t max_control_payload = 125;
inline constexpr std::size_t max_close_reason = max_control_payload - 2;

/// Whether a close frame may hold this code: those of RFC 6455, 7.4, and of IANA's registry that are meant for
/// the wire, and all from 3000 to 4999.
constexpr bool may_be_sent(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace quarq::http::ws
