#include "http/websocket/frame_writer.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <span>

#include <openssl/rand.h>

#include "base/assert.hpp"
#include "http/websocket/mask.hpp"

namespace quarq::http::ws {

namespace {

constexpr std::uint8_t last_fragment = 0x80;
constexpr std::uint8_t compressed_bit = 0x40;
// Shorter messages seldom shrink.
constexpr std::size_t worth_compressing = 64;

std::uint8_t whole(opcode code) noexcept {
  return static_cast<std::uint8_t>(last_fragment | static_cast<std::uint8_t>(code));
}

// A call of OpenSSL for each frame would cost more than the frame.
std::array<char, 4> next_key() {
  struct random_bytes {
    std::array<char, 1024> bytes;
    std::size_t used = 1024;
  };
  static thread_local random_bytes pool;
  if (pool.used == pool.bytes.size()) {
    const int filled =
        RAND_bytes(reinterpret_cast<unsigned char*>(pool.bytes.data()), static_cast<int>(pool.bytes.size()));
    QUARQ_ASSERT(filled == 1);
    pool.used = 0;
  }
  std::array<char, 4> key;
  std::memcpy(key.data(), pool.bytes.data() + pool.used, key.size());
  pool.used += key.size();
  return key;
}

void append_size(std::string& out, std::size_t size, std::uint8_t mask_bit) {
  const auto append_bytes = [&](int count) {
    for (int i = count - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
  };
  if (size < 126) {
    out += static_cast<char>(mask_bit | size);
  } else if (size < 65536) {
    out += static_cast<char>(mask_bit | 126);
    append_bytes(2);
  } else {
    out += static_cast<char>(mask_bit | 127);
    append_bytes(8);
  }
}

}  // namespace

void frame_writer::append_message(std::string& out, std::string_view payload, bool is_text) const {
  const auto first = whole(is_text ? opcode::text : opcode::binary);
  if (agreed_ && payload.size() >= worth_compressing) {
    std::string compressed;
    deflate_message(payload, agreed_->window_bits, compressed);
    if (compressed.size() < payload.size()) {
      append(out, static_cast<std::uint8_t>(first | compressed_bit), compressed);
      return;
    }
  }
  append(out, first, payload);
}

void frame_writer::append_ping(std::string& out, std::string_view payload) const {
  QUARQ_ASSERT(payload.size() <= max_control_payload);
  append(out, whole(opcode::ping), payload);
}

void frame_writer::append_pong(std::string& out, std::string_view payload) const {
  QUARQ_ASSERT(payload.size() <= max_control_payload);
  append(out, whole(opcode::pong), payload);
}

void frame_writer::append_close(std::string& out, std::uint16_t code, std::string_view reason) const {
  std::string payload;
  if (code != 1005) {
    QUARQ_ASSERT(may_be_sent(code) && reason.size() <= max_close_reason);
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code);
    payload += reason;
  }
  append(out, whole(opcode::close), payload);
}

void frame_writer::append(std::string& out, std::uint8_t first, std::string_view payload) const {
  out += static_cast<char>(first);
  append_size(out, payload.size(), self_ == role::client ? 0x80 : 0);
  if (self_ == role::server) {
    out += payload;
    return;
  }
  const auto key = next_key();
  out.append(key.data(), key.size());
  const auto begin = out.size();
  out += payload;
  apply_mask(std::span(out).subspan(begin), key, 0);
}

}  // namespace quarq::http::ws
