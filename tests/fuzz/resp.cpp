// Feeds arbitrary bytes to the RESP parser, whole and in pieces: it may refuse them, but both ways must
// agree, and no sanitizer may have anything to say.
#include "redis/resp.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using quarq::redis::reply;

void append(std::string& out, const reply& r) {
  out += static_cast<char>('a' + static_cast<int>(r.type));
  out += std::to_string(r.integer) + "," + std::to_string(r.real) + "," + r.text + "(";
  for (const auto& item : r.items) append(out, item);
  out += ")";
}

// All replies, or those up to the error and its text.
std::string read(std::string_view bytes, std::string_view splits) {
  quarq::redis::resp_parser parser;
  std::string out;
  std::size_t next_split = 0;
  try {
    reply r;
    while (!bytes.empty()) {
      const auto byte = splits.empty() ? 0 : static_cast<unsigned char>(splits[next_split++ % splits.size()]);
      const auto piece = splits.empty() ? bytes : bytes.substr(0, byte % 37);
      if (byte % 2) {
        const auto space = parser.prepare(piece.size());
        piece.copy(space.data(), piece.size());
        parser.commit(piece.size());
      } else {
        parser.feed(piece);
      }
      bytes.remove_prefix(piece.size());
      while (parser.next(r)) append(out, r);
      if (piece.empty() && !splits.empty() && next_split > splits.size()) splits = {};
    }
  } catch (const quarq::redis::protocol_error& e) {
    out += e.what();
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t count = std::min<std::size_t>(static_cast<unsigned char>(all[0]) % 16, size - 1);
  const auto splits = all.substr(1, count);
  const auto bytes = all.substr(1 + count);
  if (read(bytes, {}) != read(bytes, splits)) std::abort();
  return 0;
}
