// Feeds arbitrary bytes to a WebSocket, whole and in pieces: it may refuse them, but both ways must agree, and no
// sanitizer may have anything to say.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/websocket/frame_reader.hpp"

namespace {

using namespace quarq::http::ws;

struct reading {
  std::string text;
  bool is_over = false;
};

void take(frame_reader& reader, read_event event, reading& out) {
  switch (event) {
    case read_event::message:
      out.text += reader.is_text() ? "text " : "binary ";
      out.text += reader.take_message() + '\n';
      return;
    case read_event::ping:
    case read_event::pong:
      out.text += std::string("ping or pong ") + std::string(reader.control_payload()) + '\n';
      return;
    case read_event::close:
      out.text += "close " + std::to_string(reader.close_code()) + std::string(reader.close_reason());
      out.is_over = true;
      return;
    case read_event::failed:
      out.text += "failed " + std::string(reader.failure().what);
      out.is_over = true;
      return;
    case read_event::needs_more:
      return;
  }
}

std::string read(std::string bytes, std::string_view splits, role self, bool compressed) {
  frame_reader reader(self, {10'000, 20}, compressed ? std::optional(compression{}) : std::nullopt);
  reading out;
  std::size_t next_split = 0;
  std::span<char> left(bytes);
  while (!left.empty() && !out.is_over) {
    const std::size_t size = splits.empty()
                                 ? left.size()
                                 : 1 + static_cast<std::uint8_t>(splits[next_split++ % splits.size()]) % 37;
    auto piece = left.first(std::min(size, left.size()));
    left = left.subspan(piece.size());
    while (!out.is_over) {
      const auto step = reader.feed(piece);
      piece = piece.subspan(step.used);
      if (step.event == read_event::needs_more) break;
      take(reader, step.event, out);
    }
  }
  return out.text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto first = static_cast<std::uint8_t>(all[0]);
  const std::size_t count = std::min<std::size_t>(first % 16, size - 1);
  const auto splits = all.substr(1, count);
  const std::string bytes(all.substr(1 + count));
  const auto self = first & 0x40 ? role::client : role::server;
  const bool compressed = first & 0x80;
  if (read(bytes, {}, self, compressed) != read(bytes, splits, self, compressed)) std::abort();
  return 0;
}
