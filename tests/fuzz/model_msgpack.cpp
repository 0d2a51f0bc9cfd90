// libFuzzer's entry to models from msgpack: ./dev fuzz
#include <cstddef>
#include <cstdint>

#include "fuzz/model_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  quarq::fuzz::try_model_msgpack({reinterpret_cast<const char*>(data), size});
  return 0;
}
