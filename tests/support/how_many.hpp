// How often a test does something: less in CI than by hand.
#pragma once

#include <cstdlib>

namespace quarq::test {

/// What the environment says: QUARQ_TEST_HTTP_REQUESTS=1000000.
inline int how_many(const char* variable, int otherwise) {
  const char* const number = std::getenv(variable);
  return number != nullptr ? std::atoi(number) : otherwise;
}

}  // namespace quarq::test
