#include "debug/terminal.hpp"

#include <cerrno>
#include <cstdlib>
#include <mutex>

#include <unistd.h>

#include "base/terminal.hpp"

namespace quarq::debug {
namespace {

constinit std::mutex writing;

}  // namespace

bool wants_colours(colours wanted, const terminal_facts& facts) noexcept {
  if (wanted != colours::automatic) return wanted == colours::always;
  const bool forbidden = facts.no_color && *facts.no_color != '\0';
  return facts.is_terminal && !forbidden && base::takes_escape_sequences(facts.term);
}

terminal_facts facts_of(int file) noexcept {
  return {::isatty(file) == 1, std::getenv("NO_COLOR"), std::getenv("TERM")};
}

std::size_t terminal_width(int file) noexcept {
  return base::terminal_columns(file).value_or(100);
}

void write_whole(int file, std::string_view text) noexcept {
  const int before = errno;
  {
    const std::lock_guard lock(writing);
    base::write_whole(file, text);
  }
  errno = before;
}

}  // namespace quarq::debug
