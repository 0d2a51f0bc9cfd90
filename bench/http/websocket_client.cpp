#include "websocket_client.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace quarq::bench {

namespace {

constexpr std::string_view upgrade_request =
    "GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr std::size_t received_at_once = std::size_t{64} << 10;

constexpr unsigned char ping = 0x9;
constexpr unsigned char pong = 0xa;
constexpr unsigned char closing = 0x8;

std::uint64_t number_of(std::string_view big_endian) {
  std::uint64_t number = 0;
  for (const char c : big_endian) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

// The key is zero: masking would cost the client, and the server does not see the difference.
std::string masked_frame(unsigned char first, std::string_view payload) {
  std::string frame(1, static_cast<char>(first));
  const auto add_number = [&](int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
      frame += static_cast<char>(payload.size() >> shift & 0xff);
  };
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() < 65'536) {
    frame += static_cast<char>(0x80 | 126);
    add_number(2);
  } else {
    frame += static_cast<char>(0x80 | 127);
    add_number(8);
  }
  frame.append(4, '\0');
  frame += payload;
  return frame;
}

}  // namespace

websocket_client::websocket_client(int port) : socket_(port) {
  socket_.send(upgrade_request);
}

std::string websocket_client::frame_of(std::size_t size, char filled_with) {
  constexpr unsigned char binary = 0x82;
  return masked_frame(binary, std::string(size, filled_with));
}

bool websocket_client::send(std::string_view frame) {
  if (!unsent_.empty()) throw std::runtime_error("the message before is not sent yet");
  sent_at = clock::now();
  unsent_ = frame;
  return send_rest();
}

bool websocket_client::send_rest() {
  unsent_.remove_prefix(socket_.send_some(unsent_));
  return unsent_.empty();
}

void websocket_client::receive() {
  static std::array<char, received_at_once> space;
  const auto bytes = socket_.receive(space);
  if (!bytes.empty()) take(bytes);
}

void websocket_client::take(std::string_view bytes) {
  if (!is_open_) {
    part_ += bytes;
    const auto end = part_.find("\r\n\r\n");
    if (end == part_.npos) return;
    if (!part_.starts_with("HTTP/1.1 101 ")) throw std::runtime_error("no WebSocket: " + part_);
    is_open_ = true;
    const std::string behind = part_.substr(end + 4);
    part_.clear();
    if (!behind.empty()) take(behind);
    return;
  }
  while (!bytes.empty()) {
    if (payload_left_ > 0) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, bytes.size()));
      bytes.remove_prefix(size);
      payload_left_ -= size;
      if (payload_left_ == 0 && is_last_) ++messages_;
      continue;
    }
    if (part_.empty()) {
      const auto used = take_frame(bytes);
      bytes.remove_prefix(used);
      if (used == 0) part_ = bytes;
      if (used == 0) return;
      continue;
    }
    part_ += bytes;
    const auto all = std::exchange(part_, {});
    take(all);
    return;
  }
}

// Takes a data frame's header, or a control frame. 0: it is not whole yet.
std::size_t websocket_client::take_frame(std::string_view bytes) {
  if (bytes.size() < 2) return 0;
  const auto code = static_cast<unsigned char>(bytes[0]) & 0xf;
  const auto short_size = static_cast<unsigned char>(bytes[1]);
  const std::size_t header = short_size < 126 ? 2 : short_size == 126 ? 4 : 10;
  if (bytes.size() < header) return 0;
  const auto size = header == 2 ? short_size : number_of(bytes.substr(2, header - 2));
  if (code < closing) {
    is_last_ = (static_cast<unsigned char>(bytes[0]) & 0x80) != 0;
    payload_left_ = size;
    if (size == 0 && is_last_) ++messages_;
    return header;
  }
  if (bytes.size() < header + size) return 0;
  if (code == closing) throw std::runtime_error("the server has closed a WebSocket");
  if (code == ping) {
    // Between the parts of a message of ours it would break that; the server pings silent peers only.
    if (unsent_.empty())
      socket_.send(masked_frame(0x80 | pong, bytes.substr(header, static_cast<std::size_t>(size))));
  }
  return header + static_cast<std::size_t>(size);
}

}  // namespace quarq::bench
