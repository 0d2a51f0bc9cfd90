// Whether a sanitizer watches this build; g++ and clang say so in different ways.
#pragma once

#if !defined(__has_feature)
#define QUARQ_CLANG_HAS(feature) 0
#else
#define QUARQ_CLANG_HAS(feature) __has_feature(feature)
#endif

namespace quarq::base {

#if defined(__SANITIZE_THREAD__) || QUARQ_CLANG_HAS(thread_sanitizer)
inline constexpr bool thread_sanitizer = true;
#else
inline constexpr bool thread_sanitizer = false;
#endif

/// Any sanitizer that needs memory as it pleases, turns a crash into an exit, and slows everything down.
#if defined(__SANITIZE_ADDRESS__) || QUARQ_CLANG_HAS(address_sanitizer) || QUARQ_CLANG_HAS(memory_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = thread_sanitizer;
#endif

}  // namespace quarq::base

#undef QUARQ_CLANG_HAS
