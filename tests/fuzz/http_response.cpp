// libFuzzer's entry to the parser of responses: ./dev fuzz
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/http_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace quarq;
  fuzz::try_http([] { return http::response_parser("GET"); }, {reinterpret_cast<const char*>(data), size});
  return 0;
}
