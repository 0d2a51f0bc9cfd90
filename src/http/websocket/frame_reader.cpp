#include "http/websocket/frame_reader.hpp"

#include <algorithm>
#include <utility>

#include <quarq/http/websocket.hpp>

#include "base/assert.hpp"
#include "http/websocket/mask.hpp"

namespace quarq::http::ws {

namespace {

std::uint64_t big_endian(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

// What compresses badly grows by little: by five bytes in each 16 KiB.
std::uint64_t compressed_max(std::uint64_t message) noexcept {
  return message + message / 1024 + 64;
}

}  // namespace

frame_reader::frame_reader(role self, read_limits limits, std::optional<compression> agreed)
    : self_(self), limits_(limits), may_be_compressed_(agreed.has_value()) {}

read_step frame_reader::feed(std::span<char> bytes) {
  whole_ = {};
  std::size_t used = 0;
  if (fault_.code) return {read_event::failed, bytes.size()};
  while (true) {
    if (!in_payload_) {
      if (!read_header(bytes, used)) return {read_event::failed, used};
      if (!in_payload_) return {read_event::needs_more, used};
    }
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, bytes.size() - used));
    const bool is_whole = size == frame_.size;
    payload_left_ -= size;
    const auto piece = bytes.subspan(used, size);
    used += size;
    if (!read_payload(piece, is_whole)) return {read_event::failed, used};
    if (payload_left_ > 0) return {read_event::needs_more, used};
    if (const auto event = end_frame()) return {*event, used};
  }
}

// Sets in_payload_ once the header is complete.
bool frame_reader::read_header(std::span<char> bytes, std::size_t& used) {
  while (raw_size_ < raw_needed_) {
    if (used == bytes.size()) return true;
    raw_header_[raw_size_++] = bytes[used++];
    if (raw_size_ == 2 && !check_first_bytes()) return false;
  }
  if (!read_size() || !check_size()) return false;
  raw_size_ = 0;
  raw_needed_ = 2;
  payload_left_ = frame_.size;
  mask_offset_ = 0;
  if (is_control(frame_.code)) control_size_ = 0;
  in_payload_ = true;
  return true;
}

bool frame_reader::check_first_bytes() {
  const auto first = static_cast<std::uint8_t>(raw_header_[0]);
  const auto second = static_cast<std::uint8_t>(raw_header_[1]);
  const auto code = first & 0x0f;
  const auto size = second & 0x7f;
  const bool is_masked = second & 0x80;

  if (code > 10 || (code > 2 && code < 8))
    return fail(close_code::protocol_error, "a frame has a reserved opcode");
  frame_.is_last = first & 0x80;
  frame_.is_compressed = first & 0x40;
  frame_.code = static_cast<opcode>(code);
  if (first & 0x30) return fail(close_code::protocol_error, "a frame has a reserved bit set");
  if (frame_.is_compressed && (!may_be_compressed_ || is_control(frame_.code))) {
    return fail(close_code::protocol_error, "a frame has a reserved bit set");
  }
  if (is_masked != (self_ == role::server)) {
    return fail(close_code::protocol_error,
                is_masked ? "a server's frame is masked" : "a client's frame is not masked");
  }
  if (is_control(frame_.code)) {
    if (!frame_.is_last) return fail(close_code::protocol_error, "a control frame is fragmented");
    if (size > static_cast<int>(max_control_payload))
      return fail(close_code::protocol_error, "a control frame has more than 125 bytes");
  } else if (!check_place_in_message()) {
    return false;
  }
  const int more = (size == 126 ? 2 : size == 127 ? 8 : 0) + (is_masked ? 4 : 0);
  raw_needed_ = static_cast<std::uint8_t>(2 + more);
  return true;
}

bool frame_reader::check_place_in_message() {
  if (frame_.code == opcode::continuation) {
    if (!in_message_) return fail(close_code::protocol_error, "a continuation has no message before it");
    if (frame_.is_compressed)
      return fail(close_code::protocol_error, "a continuation has a reserved bit set");
    if (++fragments_ > limits_.fragments) return fail(close_code::policy, "a message has too many fragments");
    return true;
  }
  if (in_message_) return fail(close_code::protocol_error, "a message begins within another");
  in_message_ = true;
  is_compressed_ = frame_.is_compressed;
  type_ = frame_.code;
  fragments_ = 1;
  gathered_.clear();
  text_.reset();
  return true;
}

bool frame_reader::read_size() {
  const std::string_view header(raw_header_.data(), raw_needed_);
  const auto size = static_cast<std::uint8_t>(header[1]) & 0x7f;
  frame_.size = static_cast<std::uint64_t>(size);
  if (size == 126) frame_.size = big_endian(header.substr(2, 2));
  if (size == 127) frame_.size = big_endian(header.substr(2, 8));
  if (self_ == role::server) header.substr(header.size() - 4).copy(frame_.key.data(), 4);
  if ((size == 126 && frame_.size < 126) || (size == 127 && frame_.size < 65536)) {
    return fail(close_code::protocol_error, "a frame's length is longer than needed");
  }
  if (frame_.size >> 63) return fail(close_code::protocol_error, "a frame's length has its highest bit set");
  return true;
}

bool frame_reader::check_size() {
  if (is_control(frame_.code)) return true;
  const auto max = is_compressed_ ? compressed_max(limits_.message) : limits_.message;
  if (frame_.size > max || gathered_.size() > max - frame_.size) {
    return fail(close_code::too_big, "a message is longer than allowed");
  }
  return true;
}

bool frame_reader::read_payload(std::span<char> piece, bool is_whole) {
  if (self_ == role::server) apply_mask(piece, frame_.key, mask_offset_);
  mask_offset_ += piece.size();
  const std::string_view bytes(piece.data(), piece.size());
  if (!is_control(frame_.code)) return add_to_message(bytes, is_whole);
  bytes.copy(control_.data() + control_size_, bytes.size());
  control_size_ = static_cast<std::uint8_t>(control_size_ + bytes.size());
  return true;
}

bool frame_reader::add_to_message(std::string_view piece, bool is_whole) {
  if (!is_compressed_ && is_text() && !text_.feed(piece))
    return fail(close_code::not_utf8, "a text message is not UTF-8");
  if (is_whole && frame_.is_last && frame_.code != opcode::continuation) {
    whole_ = piece;
  } else {
    gathered_.append(piece);
  }
  return true;
}

// nullopt: a part of a message, or a failure of which feed() says more.
std::optional<read_event> frame_reader::end_frame() {
  in_payload_ = false;
  switch (frame_.code) {
    case opcode::ping:
      return read_event::ping;
    case opcode::pong:
      return read_event::pong;
    case opcode::close:
      return check_close() ? read_event::close : read_event::failed;
    default:
      if (!frame_.is_last) return std::nullopt;
      return end_message() ? read_event::message : read_event::failed;
  }
}

bool frame_reader::end_message() {
  in_message_ = false;
  if (is_compressed_) {
    std::string inflated;
    const auto compressed = gathered_.empty() ? whole_ : std::string_view(gathered_);
    const auto result = inflate_message(compressed, limits_.message, inflated);
    if (result == inflate_result::too_large)
      return fail(close_code::too_big, "a message is longer than allowed");
    if (result == inflate_result::malformed)
      return fail(close_code::not_utf8, "a compressed message is damaged");
    if (is_text() && !text_.feed(inflated)) return fail(close_code::not_utf8, "a text message is not UTF-8");
    gathered_ = std::move(inflated);
    whole_ = {};
  }
  if (is_text() && !text_.is_complete())
    return fail(close_code::not_utf8, "a text message ends within a character");
  return true;
}

std::string frame_reader::take_message() {
  if (gathered_.empty()) return std::string(whole_);
  return std::exchange(gathered_, {});
}

bool frame_reader::check_close() {
  const auto payload = control_payload();
  close_code_ = 1005;
  if (payload.empty()) return true;
  if (payload.size() == 1) return fail(close_code::protocol_error, "a close frame has half a code");
  const auto code = static_cast<std::uint16_t>(big_endian(payload.substr(0, 2)));
  if (!may_be_sent(code))
    return fail(close_code::protocol_error, "a close frame has a code that must not be sent");
  utf8_checker reason;
  if (!reason.feed(close_reason()) || !reason.is_complete()) {
    return fail(close_code::not_utf8, "the reason of a close frame is not UTF-8");
  }
  close_code_ = code;
  return true;
}

std::string_view frame_reader::close_reason() const noexcept {
  const auto payload = control_payload();
  return payload.size() > 2 ? payload.substr(2) : std::string_view();
}

bool frame_reader::fail(std::uint16_t code, std::string_view what) {
  fault_ = {code, what};
  gathered_ = {};
  whole_ = {};
  return false;
}

}  // namespace quarq::http::ws
