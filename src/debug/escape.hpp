// Texts and bytes with escapes, so that what is printed can be read and does nothing to the terminal.
#pragma once

#include <string>
#include <string_view>

namespace quarq::debug {

/// `data` with control characters, invalid UTF-8 (each byte), and invisible marks of writing direction as
/// "\n", "\x1b", "\u202e". `quote` and the backslash are escaped, too, unless it is 0.
std::string escaped(std::string_view data, char quote);

/// The same for bytes: all that is not printable ASCII is "\x..".
std::string escaped_bytes(std::string_view data);

/// In UTF-8; what is no code point (a lone surrogate) as the bytes it would have, which are invalid there.
std::string utf8_of(std::u32string_view text);
std::string utf8_of(std::u16string_view text);

}  // namespace quarq::debug
