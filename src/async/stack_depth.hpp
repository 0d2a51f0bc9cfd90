// How much of the stack is in use. A coroutine that starts another one runs it within its own call, and ends within
// the call of the one that ended: thousands of them inside each other would overflow the stack.
#pragma once

#include <cstddef>

namespace quarq::async {

/// Whether so many calls are on this thread's stack that work should go on from the loop, which has few.
[[gnu::noinline]] inline bool stack_is_deep() noexcept {
  constexpr std::ptrdiff_t deep = std::ptrdiff_t{256} << 10;
  // The loop's own place on the stack, or nearly: the highest address seen here.
  static thread_local const char* shallowest = nullptr;
  const auto* const here = static_cast<const char*>(__builtin_frame_address(0));
  if (here > shallowest) shallowest = here;
  return shallowest - here > deep;
}

}  // namespace quarq::async
