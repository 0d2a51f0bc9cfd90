#include "base/terminal.hpp"

#include <cerrno>

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

bool takes_escape_sequences(const char* kind) noexcept {
  return kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
}

bool write_whole(int file, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace quarq::base
