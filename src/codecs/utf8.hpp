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

/// The largest size up to `limit` at which valid UTF-8 can be cut without splitting a character.
std::size_t cut_at(std::string_view text, std::size_t limit) noexcept;

/// The text with each invalid byte replaced by U+FFFD: what to do with a message that somebody else made.
std::string to_utf8(std::string_view data);

/// to_utf8, with control characters as "\n" or "\x1b", and marks of writing direction and line separators as
/// "\u202e", and no more than about `limit` bytes, for one line of a log.
std::string printable(std::string_view data, std::size_t limit);

}  // namespace quarq::codecs
