// QUARQ_ASSERT: checks an invariant where NDEBUG is not defined, as in the debug and sanitizer builds.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace quarq::base {

[[noreturn]] inline void assertion_failed(const char* file, int line, const char* expression) noexcept {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace quarq::base

/// Prints FILE:LINE and the expression, and aborts, if the expression is false. With NDEBUG it is not
/// evaluated.
#ifdef NDEBUG
#define QUARQ_ASSERT(...) static_cast<void>(sizeof((__VA_ARGS__) ? 1 : 0))
#else
#define QUARQ_ASSERT(...) \
  ((__VA_ARGS__) ? static_cast<void>(0) : ::quarq::base::assertion_failed(__FILE__, __LINE__, #__VA_ARGS__))
#endif
