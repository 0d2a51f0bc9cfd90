// libFuzzer's entry to what a server reads in a request's target and fields: paths, queries, conditions, ranges, codings,
// and the handshake of WebSockets: ./dev fuzz
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <quarq/http/fields.hpp>
#include <quarq/http/problem.hpp>

#include "http/coding/content_encoder.hpp"
#include "http/server/conditions.hpp"
#include "http/server/target.hpp"
#include "http/websocket/handshake.hpp"

namespace {

using namespace quarq;

// A decoded path can't lead out of a folder, nor end a line or a string.
void check_path(std::string_view text) {
  std::string path;
  if (!http::decode_path(text, path)) return;
  if (path.find_first_of(std::string_view("\r\n\0\\", 4)) != path.npos) std::abort();
  if (("/" + path + "/").find("/../") != std::string::npos) std::abort();
}

void check_query(std::string_view text) {
  try {
    if (http::query_values(text, "a", 100).size() > 100) std::abort();
  } catch (const http::problem&) {
  }
}

void check_range(const http::fields& headers) {
  const http::representation what{.etag = "\"a\"", .modified = 1'700'000'000, .size = 1000};
  for (const auto method : {"GET", "HEAD"}) {
    const auto chosen = http::select(method, headers, what);
    if (chosen.status == 206 && (chosen.range.size == 0 || chosen.range.first >= what.size ||
                                 chosen.range.size > what.size - chosen.range.first))
      std::abort();
  }
}

void check_websocket(const http::fields& headers) {
  http::websocket_options options;
  options.compression = true;
  options.subprotocols = "a, b";
  options.origins = "https://example.org";
  const http::ws::upgrade_request request{.method = "GET", .minor_version = 1, .headers = headers};
  const auto answer = http::ws::answer_upgrade(request, options);
  const bool is_known = answer.agreed.subprotocol.empty() || answer.agreed.subprotocol == "a" ||
                        answer.agreed.subprotocol == "b";
  if (!is_known) std::abort();
  http::ws::judge_answer(101, headers, "dGhlIHNhbXBsZSBub25jZQ==", options);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_path("/" + std::string(text));
  check_query(text);
  constexpr std::string_view names[]{"Range",
                                     "If-None-Match",
                                     "If-Match",
                                     "If-Modified-Since",
                                     "If-Range",
                                     "Accept-Encoding",
                                     "Sec-WebSocket-Extensions",
                                     "Origin",
                                     "Host",
                                     "Sec-WebSocket-Protocol",
                                     "Connection",
                                     "Upgrade",
                                     "Sec-WebSocket-Key"};
  http::fields headers{{"Host", "example.org"},
                       {"Upgrade", "websocket"},
                       {"Connection", "Upgrade"},
                       {"Sec-WebSocket-Version", "13"},
                       {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
  try {
    headers.set(names[data[0] % std::size(names)], text);
  } catch (const usage_error&) {
    return 0;
  }
  check_range(headers);
  check_websocket(headers);
  http::best_coding(headers["Accept-Encoding"]);
  return 0;
}
