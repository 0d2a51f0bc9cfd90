// The scalars of JSON that take some thought.
#pragma once

#include <string>
#include <string_view>

namespace quarq::codecs {

/// The text in quotes; each byte that is no UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

/// The shortest digits that are read back as the same number, always recognisable as a real one; NaN and the infinities
/// are the texts "NaN", "Infinity" and "-Infinity".
void append_json_real(std::string& out, double number);

}  // namespace quarq::codecs
