// libFuzzer's entry to the reader and writer of pickles: ./dev fuzz
#include <cstddef>
#include <cstdint>

#include "fuzz/pickle_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  quarq::fuzz::try_pickle_input({reinterpret_cast<const char*>(data), size});
  return 0;
}
