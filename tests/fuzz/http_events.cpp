// libFuzzer's entry to server-sent events, as a client reads them: ./dev fuzz
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <quarq/errors.hpp>
#include <quarq/http/fields.hpp>

#include "http/client/event_parser.hpp"

namespace {

using namespace quarq;

std::string read_in_parts(std::string_view bytes, std::size_t part) {
  std::string said;
  http::event_parser parser(1000);
  try {
    while (!bytes.empty()) {
      parser.feed(bytes.substr(0, part));
      bytes.remove_prefix(std::min(part, bytes.size()));
      while (const auto event = parser.next())
        said += event->type + '\0' + event->data + '\0' + event->id + '\0';
    }
  } catch (const decode_error&) {
    said += "too large";
  }
  // It is sent back.
  http::fields headers;
  headers.set("Last-Event-ID", parser.last_id());
  return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = read_in_parts(bytes, bytes.size());
  for (const std::size_t part : {std::size_t{1}, std::size_t{3}})
    if (read_in_parts(bytes, part) != whole) std::abort();
  return 0;
}
