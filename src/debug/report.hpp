// What QUARQ_DEBUG prints.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <quarq/detail/pretty_output.hpp>

#include "debug/document.hpp"

namespace quarq::debug {

/// Where a QUARQ_DEBUG stands, as it is printed.
struct place {
  std::string_view file;
  unsigned line;
  std::string_view function;  ///< the compiler's signature
};

/// The path from `folder` if the file is in or below it, else the file as it is.
std::string_view relative_to(std::string_view file, std::string_view folder) noexcept;

/// All of it, each line ended.
std::string report(const place& where, std::string_view expressions,
                   std::span<const detail::debug_argument> arguments, const pretty_options& options,
                   bool in_colour);

}  // namespace quarq::debug
