// Feeds arbitrary bytes to what parent and child read from each other, whole and in pieces: it may be
// refused, but both ways must agree, and no sanitizer may have anything to say.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <quarq/errors.hpp>

#include "processes/frames.hpp"

namespace {

using namespace quarq::processes;

std::string read_body(const frame& found) {
  quarq::decoder in(found.body, "frame");
  try {
    switch (found.header.kind) {
      case frame_kind::hello:
        check_hello(found.body, "id");
        return "hello";
      case frame_kind::call:
      case frame_kind::run: {
        const auto head = read_call_head(in);
        return "call " + std::string(head.name) + std::string(head.thunk) + std::string(head.facts);
      }
      case frame_kind::failure:
        return "failure " + read_failure(in).message;
      default:
        in.skip();
        return "value";
    }
  } catch (const quarq::decode_error& e) {
    return e.what();
  }
}

std::string read(std::string_view bytes, std::size_t piece) {
  frame_parser parser;
  std::string out;
  try {
    frame found;
    while (true) {
      while (parser.next(found)) out += read_body(found) + ";";
      if (bytes.empty()) return out;
      const auto room = parser.prepare();
      const std::size_t count = std::min({room.size(), piece, bytes.size()});
      bytes.copy(room.data(), count);
      parser.commit(count);
      bytes.remove_prefix(count);
    }
  } catch (const quarq::decode_error& e) {
    out += e.what();
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (read(bytes, bytes.size() + 1) != read(bytes, std::size_t{data[0]} % 23 + 1)) std::abort();
  return 0;
}
