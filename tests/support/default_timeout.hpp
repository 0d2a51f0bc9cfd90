// How long tests wait for what must happen.
#pragma once

#include <chrono>
#include <string>

namespace quarq::test {

/// What no wait needs unless something hangs, also where a sanitizer and other work slow the machine down.
inline constexpr std::chrono::seconds default_timeout{60};
/// Of a broker's URL, so that what is asked of a slow server waits as long.
inline std::string timeout_parameter() {
  return "timeout=" + std::to_string(default_timeout.count());
}
/// A whole test's: longer than one wait's, which can say better what did not come. CTest's limit is beyond
/// both.
inline constexpr std::chrono::seconds test_timeout = 2 * default_timeout;

}  // namespace quarq::test
