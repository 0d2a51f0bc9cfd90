// The tasks that are measured: they do nothing.
#pragma once

#include <cstdint>
#include <string>

#include <quarq/task.hpp>

namespace quarq::bench {

inline constexpr task<std::int64_t(std::string)> measure{"measure"};      ///< a result, kept
inline constexpr task<void(std::string)> forget{"forget"};                ///< no result
inline constexpr task<void(std::int64_t)> hold{"hold"};                   ///< waits so many ms
inline constexpr task<std::int64_t(std::string)> on_thread{"on_thread"};  ///< a plain function

inline std::string argument() {
  return std::string(120, 'x');
}

/// The worker's side, in a process of its own.
int worker_main(int argc, char** argv);

}  // namespace quarq::bench
