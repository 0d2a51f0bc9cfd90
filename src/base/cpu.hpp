// A hint to the processor for loops that wait.
#pragma once

namespace quarq::base {

/// To be called in a loop that waits for another thread: saves power, and leaves a sibling hyperthread its
/// share.
inline void cpu_relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace quarq::base
