// A request's target: which path, which query.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quarq::http {

struct split_target {
  std::string_view path;   ///< not decoded; "/" for a URL without one, and "*" for OPTIONS *
  std::string_view query;  ///< not decoded, without the question mark
};

/// REQUIRES: the parser has taken it.
split_target split(std::string_view target) noexcept;

/// Replaces `path` by the decoded one. False for what could mean another path to somebody else: escapes that are none,
/// control characters, backslashes, what is not UTF-8, and the segments "." and "..".
bool decode_path(std::string_view raw, std::string& path);

/// "a%20b" is "a b". Nullopt for an escape that is none.
std::optional<std::string> decode_percent(std::string_view text);

/// All names with their values, decoded, in their order; the same errors.
std::vector<std::pair<std::string, std::string>> query_pairs(std::string_view query);

/// The values of this name, decoded: "+" is a space. Throws problem(400) for an escape that is none.
std::vector<std::string> query_values(std::string_view query, std::string_view name, std::size_t max);

}  // namespace quarq::http
