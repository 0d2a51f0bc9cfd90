// What is text and what only claims to be.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace quarq::codecs {

/// Stands for what is not shown: one character, in UTF-8.
inline constexpr std::string_view ellipsis = "\xe2\x80\xa6";

/// How long the valid UTF-8 at the beginning of `data` is; data.size() if all of it is. Surrogates, overlong
/// forms and anything beyond U+10FFFF are invalid.
std::size_t valid_utf8_prefix(std::string_view data) noexcept;

inline bool is_utf8(std::string_view data) noexcept {
  return valid_utf8_prefix(data) == data.size();
}

/// Whether this byte of valid UTF-8 is not the first of its character.
inline bool continues_character(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// How many characters (code points) valid UTF-8 has.
std::size_t count_characters(std::string_view text) noexcept;

/// How many bytes the character at the beginning has; 0: it is invalid. REQUIRES: `data` is not empty.
std::size_t character_size(std::string_view data) noexcept;

/// That of one whole, valid character.
char32_t code_point(std::string_view character) noexcept;

/// Also what is invalid, such as half of a surrogate pair, is written in the same way.
void append_utf8(std::string& out, char32_t code);

/// The largest size up to `limit` at which valid UTF-8 can be cut without splitting a character.
std::size_t cut_at(std::string_view text, std::size_t limit) noexcept;

/// The text with each invalid byte replaced by U+FFFD: what to do with a message that somebody else made.
std::string to_utf8(std::string_view data);

/// to_utf8, with control characters as "\n" or "\x1b", and marks of writing direction and line separators as
/// "\u202e", and no more than about `limit` bytes, for one line of a log.
std::string printable(std::string_view data, std::size_t limit);

}  // namespace quarq::codecs
