// The terminal on a descriptor, if there is one.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace quarq::base {

struct terminal_size {
  std::size_t columns = 0, rows = 0;  ///< rows 0: it does not say
};

/// How big it is at this moment. Nothing: the descriptor is no terminal's, or the terminal does not say.
std::optional<terminal_size> terminal_size_of(int file) noexcept;
/// How wide it is.
std::optional<std::size_t> terminal_columns(int file) noexcept;

/// Whether a terminal of this kind, as TERM has it, takes escape sequences: not one that is unknown (null or empty)
/// or "dumb".
bool takes_escape_sequences(const char* kind) noexcept;

/// With one write, if the system takes it whole. False: it does not take all of it, and errno says why.
bool write_whole(int file, std::string_view text) noexcept;

}  // namespace quarq::base
