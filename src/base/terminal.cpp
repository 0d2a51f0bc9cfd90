#include "base/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace quarq::base {

std::optional<terminal_size> terminal_size_of(int file) noexcept {
  winsize size{};
  if (isatty(file) != 1 || ioctl(file, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return terminal_size{size.ws_col, size.ws_row};
}

std::optional<std::size_t> terminal_columns(int file) noexcept {
  const auto size = terminal_size_of(file);
  if (!size) return std::nullopt;
  return size->columns;
}

}  // namespace quarq::base
