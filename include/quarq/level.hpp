// Where a handler runs: on the loop, on a thread or in a process.
#pragma once

#include <string_view>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

/// The levels of concurrency within one worker. (The fourth is to have more workers.)
enum class level {
  loop,     ///< on the worker's loop, with other handlers: for work that mostly waits
  thread,   ///< on one of the worker's threads: for work that computes
  process,  ///< in a process of its own: for work that may crash, leak or never end
};

std::string_view to_string(level where) noexcept;

}  // namespace quarq
