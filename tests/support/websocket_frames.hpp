// Frames of WebSockets as tests write them: made and read by code of its own, so that a fault of the library's is not
// made up for here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quarq::test {

/// The bytes of frames as tests/http/websocket.tsv writes them.
std::string frames_of(std::string_view text, bool masked);

struct seen_frame {
  std::uint8_t first = 0;
  bool masked = false;
  std::string key;
  std::string payload;  ///< unmasked
};
/// Takes all whole frames off the bytes.
std::vector<seen_frame> take_frames(std::string& bytes);

/// One unfragmented frame.
std::string frame_of(std::uint8_t first, std::string_view payload, bool masked);

}  // namespace quarq::test
