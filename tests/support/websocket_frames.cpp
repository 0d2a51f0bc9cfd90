#include "support/websocket_frames.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <sstream>

#include "support/http_table.hpp"

namespace quarq::test {

namespace {

constexpr std::string_view test_key = "\x11\xfe\x83\x5a";

void mask(std::string& payload, std::string_view key) {
  std::uint32_t four_of_key = 0;
  std::memcpy(&four_of_key, key.data(), 4);
  char* next = payload.data();
  std::size_t left = payload.size();
  for (; left >= 4; left -= 4, next += 4) {
    std::uint32_t four = 0;
    std::memcpy(&four, next, 4);
    four ^= four_of_key;
    std::memcpy(next, &four, 4);
  }
  for (std::size_t i = 0; i < left; ++i) next[i] = static_cast<char>(next[i] ^ key[i]);
}

std::string with_header(std::string header, std::string payload, bool masked) {
  if (masked) {
    header[1] = static_cast<char>(header[1] | '\x80');
    header += test_key;
    mask(payload, test_key);
  }
  return header + payload;
}

std::string payload_of(std::string_view text) {
  if (!text.starts_with('#')) return unescaped(text);
  const auto end = text.find('#', 1);
  const auto size = std::stoul(std::string(text.substr(1, end - 1)));
  std::string all = unescaped(text.substr(end + 1));
  while (all.size() < size) all += std::string(all);
  all.resize(size);
  return all;
}

std::string bytes_of_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// 81:text, 81/64:text or H8102:text.
std::string frame_of_text(std::string_view text, bool masked) {
  const auto colon = text.find(':');
  auto head = text.substr(0, colon);
  const auto payload = payload_of(text.substr(colon + 1));
  if (head.starts_with('H')) return with_header(bytes_of_hex(head.substr(1)), payload, masked);
  const auto first = static_cast<std::uint8_t>(bytes_of_hex(head.substr(0, 2))[0]);
  const auto slash = head.find('/');
  if (slash == head.npos) return frame_of(first, payload, masked);

  const auto size = std::stoul(std::string(head.substr(slash + 1)));
  std::string all;
  for (std::size_t at = 0; at < payload.size(); at += size) {
    const auto code = static_cast<std::uint8_t>(at == 0 ? first & 0x7f : 0);
    const auto last = static_cast<std::uint8_t>(at + size >= payload.size() ? 0x80 : 0);
    all +=
        frame_of(static_cast<std::uint8_t>(code | last), std::string_view(payload).substr(at, size), masked);
  }
  return all;
}

// nothing: the frame is not whole.
bool take_frame(std::string_view& bytes, seen_frame& frame) {
  if (bytes.size() < 2) return false;
  frame.first = static_cast<std::uint8_t>(bytes[0]);
  frame.masked = bytes[1] & '\x80';
  std::uint64_t size = static_cast<std::uint8_t>(bytes[1]) & 0x7f;
  std::size_t at = 2;
  const std::size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (bytes.size() < at + more) return false;
  if (more > 0) size = 0;
  for (std::size_t i = 0; i < more; ++i) size = size << 8 | static_cast<std::uint8_t>(bytes[at++]);
  if (frame.masked) {
    if (bytes.size() < at + 4) return false;
    frame.key = bytes.substr(at, 4);
    at += 4;
  }
  if (bytes.size() - at < size) return false;
  frame.payload = bytes.substr(at, size);
  if (frame.masked) mask(frame.payload, frame.key);
  bytes.remove_prefix(at + size);
  return true;
}

}  // namespace

std::string frame_of(std::uint8_t first, std::string_view payload, bool masked) {
  std::string header(1, static_cast<char>(first));
  const auto size = payload.size();
  const int more = size < 126 ? 0 : size < 65536 ? 2 : 8;
  header += static_cast<char>(more == 0 ? size : more == 2 ? 126 : 127);
  for (int i = more - 1; i >= 0; --i) header += static_cast<char>(size >> (8 * i));
  return with_header(std::move(header), std::string(payload), masked);
}

std::string frames_of(std::string_view text, bool masked) {
  std::istringstream words{std::string(text)};
  std::string all;
  std::string last;
  for (std::string word; words >> word;) {
    if (word.starts_with('x')) {
      for (int left = std::stoi(word.substr(1)) - 1; left > 0; --left) all += last;
      continue;
    }
    last = frame_of_text(word, masked);
    all += last;
  }
  return all;
}

std::vector<seen_frame> take_frames(std::string& bytes) {
  std::vector<seen_frame> all;
  std::string_view left = bytes;
  while (true) {
    seen_frame one;
    if (!take_frame(left, one)) break;
    all.push_back(std::move(one));
  }
  bytes.erase(0, bytes.size() - left.size());
  return all;
}

}  // namespace quarq::test
