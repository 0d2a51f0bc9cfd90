// Where debug prints go, and what that place can do.
#pragma once

#include <cstddef>
#include <string_view>

#include <quarq/debug.hpp>

namespace quarq::debug {

/// What decides about colours.
struct terminal_facts {
  bool is_terminal;
  const char* no_color;  ///< environment variables; null if unset
  const char* term;
};
bool wants_colours(colours wanted, const terminal_facts& facts) noexcept;

/// Of this descriptor.
terminal_facts facts_of(int file) noexcept;
/// Of the terminal on this descriptor; 100 if there is none, or it does not say.
std::size_t terminal_width(int file) noexcept;

/// With one write, if the system takes it whole; writes of threads of this process do not mix in any case.
/// Errors are ignored, errno is left as it was.
void write_whole(int file, std::string_view text) noexcept;

}  // namespace quarq::debug
