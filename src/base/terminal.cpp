#include "base/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace quarq::base {

std::optional<std::size_t> terminal_columns(int file) noexcept {
  winsize size{};
  if (isatty(file) != 1 || ioctl(file, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

}  // namespace quarq::base
