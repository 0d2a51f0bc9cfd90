// Where a handler runs.
#pragma once

#include <string_view>

namespace quarq {

/// Of the four levels of concurrency, those within one worker. (The fourth is to have more workers.)
enum class level {
  loop,     ///< on the worker's loop, with all the others: for what mostly waits
  thread,   ///< on one of the worker's threads: for what computes
  process,  ///< in a process of its own: for what may crash, leak or never end
};

std::string_view to_string(level where) noexcept;

}  // namespace quarq
