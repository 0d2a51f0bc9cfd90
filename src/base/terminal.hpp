// The terminal on a descriptor, if there is one.
#pragma once

#include <cstddef>
#include <optional>

namespace quarq::base {

/// How wide it is at this moment. Nothing: the descriptor is no terminal's, or the terminal does not say.
std::optional<std::size_t> terminal_columns(int file) noexcept;

}  // namespace quarq::base
