// libFuzzer's entry to the decoders of bodies: ./dev fuzz
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/errors.hpp>

#include "http/coding/content_decoder.hpp"

namespace {

using namespace quarq;

struct decoded_body {
  bool failed = false;
  std::string body;
};

decoded_body decode_in_pieces(const std::vector<http::coding>& codings, std::string_view bytes,
                              std::size_t piece) {
  constexpr std::size_t max_body = 1 << 20;
  decoded_body result;
  http::content_decoder decoder(codings);
  std::string space(1000, '\0');
  try {
    while (!bytes.empty() && result.body.size() < max_body) {
      decoder.feed(bytes.substr(0, piece));
      bytes.remove_prefix(std::min(piece, bytes.size()));
      while (const auto size = decoder.read(space)) {
        if (size > space.size()) std::abort();
        result.body.append(space, 0, size);
        if (result.body.size() >= max_body) return result;
      }
    }
    decoder.finish();
  } catch (const decode_error&) {
    result.failed = true;
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  using enum http::coding;
  const std::vector<std::vector<http::coding>> all{
      {gzip}, {deflate}, {brotli}, {gzip, brotli}, {deflate, gzip}};
  const auto& codings = all[data[0] % all.size()];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = decode_in_pieces(codings, bytes, bytes.size() + 1);
  const auto pieces = decode_in_pieces(codings, bytes, 3);
  if (whole.failed != pieces.failed) std::abort();
  if (!whole.failed && whole.body != pieces.body) std::abort();
  return 0;
}
