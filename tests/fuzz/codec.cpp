// libFuzzer's entry to the codec: ./dev fuzz
#include <cstddef>
#include <cstdint>

#include "fuzz/codec_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  quarq::fuzz::try_codec_input({reinterpret_cast<const char*>(data), size});
  return 0;
}
