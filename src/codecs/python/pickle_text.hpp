// The parts of a pickle that are written as text, most of them by protocol 0, and integers of any length.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codecs/python/pickle_values.hpp"

namespace quarq::codecs::python {

/// Little-endian two's complement of any length; no bytes are 0.
python_value integer_from_bytes(std::string_view bytes);

/// Decimal digits, maybe with a sign; nothing for other text.
std::optional<python_value> integer_from_digits(std::string_view digits);

/// As repr() writes it: "1e-05", "inf".
std::optional<double> real_from_text(std::string_view text);

/// The text that raw-unicode-escape stands for, as UTF-8: \uXXXX and \UXXXXXXXX, all else as it is, Latin 1.
std::optional<std::string> from_raw_unicode_escape(std::string_view text);

/// The text within the quotes that repr() of Python 2's str put there.
std::optional<std::string> from_quoted(std::string_view text);

}  // namespace quarq::codecs::python
