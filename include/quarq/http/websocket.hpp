// WebSockets: messages both ways over one connection, of either role.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/codec.hpp>
#include <quarq/detail/http_json.hpp>
#include <quarq/detail/must_await.hpp>
#include <quarq/errors.hpp>

namespace quarq::http {

class websocket;

namespace ws {
class websocket_link;
}

/// Why a WebSocket is closed (RFC 6455, 7.4). Programs have 4000 to 4999 for codes of their own.
namespace close_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t unsupported_data = 1003;
inline constexpr std::uint16_t none = 1005;  ///< the peer named none; never sent
inline constexpr std::uint16_t lost = 1006;  ///< there was no close frame; never sent
inline constexpr std::uint16_t not_utf8 = 1007;
inline constexpr std::uint16_t policy = 1008;
inline constexpr std::uint16_t too_big = 1009;
inline constexpr std::uint16_t unexpected = 1011;
}  // namespace close_code

/// A whole message, whatever frames it came in.
class message {
 public:
  message() = default;
  message(std::string bytes, bool text) : data(std::move(bytes)), is_text(text) {}

  /// The T that it holds as JSON: a struct described with BOOST_DESCRIBE_STRUCT, or whatever else has a codec.
  /// Throws quarq::decode_error that names the place.
  template <class T>
  T as() const {
    return from_msgpack<T>(detail::msgpack_of_json(data, "message"), "message");
  }

  std::string data;
  bool is_text = true;  ///< then data is UTF-8
};

/// The WebSocket is closed, or has just been. what() has the code and the reason.
class websocket_closed : public error {
 public:
  websocket_closed(std::uint16_t code, std::string reason);
  /// The peer's, if it has sent a close frame: close_code::none if that had none. close_code::lost: the connection
  /// ended, or the peer was silent for too long. Otherwise that of this side.
  std::uint16_t code() const noexcept { return code_; }
  /// The peer's, or what went wrong.
  const std::string& reason() const noexcept { return reason_; }

 private:
  std::uint16_t code_;
  std::string reason_;
};

/// What becomes of a message for a peer that reads more slowly than it is sent to.
enum class overflow {
  wait,   ///< sending waits
  drop,   ///< the message is dropped
  close,  ///< the WebSocket is closed with close_code::policy
};

/// The texts must exist until the call that takes them returns.
struct websocket_options {
  /// Bytes of a message that may come, after inflating; a longer one closes with close_code::too_big.
  std::size_t max_message = 1024 * 1024;
  /// Frames of which a message may consist; more close with close_code::policy.
  std::size_t max_fragments = 128 * 1024;
  /// A peer that was silent for so long gets a ping; 0: none.
  std::chrono::milliseconds ping_interval{20'000};
  /// A peer of which nothing came for so long, no pong either, counts as lost; 0: never.
  std::chrono::milliseconds idle_timeout{60'000};
  /// How long closing may take altogether.
  std::chrono::milliseconds close_timeout{5'000};
  /// Bytes that may wait to be written before `when_full` decides about the next message.
  std::size_t send_mark = 64 * 1024;
  overflow when_full = overflow::wait;
  /// Offers permessage-deflate, or agrees to it. A message of a few hundred bytes costs some 20 us of CPU then.
  bool compression = false;
  /// Those that this side speaks, the best first: "chat.v2, chat".
  std::string_view subprotocols{};
  /// Of a server: the sites whose pages may connect, "https://example.org, https://example.com"; "*": all. Without
  /// any, only pages of the server itself may. Programs, which name no origin, always may.
  std::string_view origins{};
};
static_assert(std::is_trivially_destructible_v<websocket_options>, "safe as an argument of what is awaited");

/// One end of a WebSocket. It belongs to the loop that it was made on. One coroutine receives while any number of
/// others send; pings are answered whether or not anybody receives. A function that is cancelled throws
/// boost::system::system_error (operation_aborted): no message was lost, or sent in part.
///
///     awaitable<void> echo(quarq::http::websocket& socket) {
///       while (true) {
///         auto received = co_await socket.receive();       // throws websocket_closed at the end
///         co_await socket.send(received);
///       }
///     }
///
/// Destroying an open one closes it with close_code::going_away, without waiting.
class websocket {
 public:
  /// For quarq's own use: client::websocket() opens them, and server::websocket() accepts them.
  explicit websocket(std::shared_ptr<ws::websocket_link> link) : link_(std::move(link)) {}
  ~websocket();
  websocket(websocket&&) noexcept = default;
  websocket& operator=(websocket&& other) noexcept;

  /// The next message. Throws websocket_closed once it is closed and all messages were taken.
  [[QUARQ_MUST_AWAIT]] awaitable<message> receive();

  /// Returns once the message is queued behind those before it; true unless overflow::drop has dropped it. Waits
  /// while more than options.send_mark bytes are queued. Throws websocket_closed, and quarq::usage_error for text
  /// that is not UTF-8. The bytes must exist until it returns.
  [[QUARQ_MUST_AWAIT]] awaitable<bool> send_text(std::string_view text);
  [[QUARQ_MUST_AWAIT]] awaitable<bool> send_binary(std::string_view bytes);
  [[QUARQ_MUST_AWAIT]] awaitable<bool> send(const message& same) {
    return same.is_text ? send_text(same.data) : send_binary(same.data);
  }
  /// A value as JSON, in a text message.
  template <class T>
    requires codable<std::remove_cvref_t<T>>
  [[QUARQ_MUST_AWAIT]] awaitable<bool> send_json(T&& value) {
    QUARQ_REQUIRE_NAMED_ARGUMENT(T);
    return send_own(detail::json_of_msgpack(to_msgpack(value)));
  }

  /// The same without waiting: false if it would have to, or if the WebSocket is closed. For broadcasts.
  bool try_send_text(std::string_view text);
  bool try_send_binary(std::string_view bytes);

  /// Sends a ping and waits for its pong; returns how long that took. Throws websocket_closed.
  [[QUARQ_MUST_AWAIT]] awaitable<std::chrono::nanoseconds> ping();

  /// Closes: sends the code and the reason, and waits for the peer to do the same, for options.close_timeout at most.
  /// Messages that come meanwhile are dropped. Returns at once if it is closed; goes on by itself if cancelled.
  /// Throws quarq::usage_error for a code that must not be sent, and for a reason that is not UTF-8 or longer than
  /// 123 bytes.
  [[QUARQ_MUST_AWAIT]] awaitable<void> close(std::uint16_t code = close_code::normal,
                                             std::string_view reason = {});

  /// Whether messages can be sent.
  bool is_open() const noexcept;
  /// Bytes that were queued and are not written yet.
  std::size_t unsent() const noexcept;
  /// The one that both sides agreed upon; "": none.
  const std::string& subprotocol() const noexcept;
  /// "10.0.0.7:41234".
  std::string remote_address() const;

 private:
  awaitable<bool> send_own(std::string text);
  std::shared_ptr<ws::websocket_link> link_;
};

}  // namespace quarq::http
