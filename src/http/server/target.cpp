#include "http/server/target.hpp"

#include <algorithm>

#include <quarq/http/problem.hpp>

#include "codecs/hex.hpp"
#include "codecs/utf8.hpp"
#include "http/message/characters.hpp"

namespace quarq::http {

split_target split(std::string_view target) noexcept {
  if (!target.starts_with('/') && target != "*") {
    const auto authority = target.find("://");
    const auto path = authority == target.npos ? target.npos : target.find_first_of("/?", authority + 3);
    target.remove_prefix(std::min(path, target.size()));
  }
  const auto question = target.find('?');
  split_target parts{target.substr(0, question), {}};
  if (question != target.npos) parts.query = target.substr(question + 1);
  if (parts.path.empty()) parts.path = "/";
  return parts;
}

namespace {

// Appends the text with its escapes decoded.
bool append_decoded(std::string& out, std::string_view text, bool plus_is_space) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const auto byte = codecs::byte_in_hex(text.substr(i + 1));
      if (!byte) return false;
      out += static_cast<char>(*byte);
      i += 2;
    }
  }
  return true;
}

bool has_dot_segment(std::string_view path) {
  for (auto dot = path.find("/."); dot != path.npos; dot = path.find("/.", dot + 1)) {
    const auto segment = path.substr(dot + 1, path.find('/', dot + 1) - dot - 1);
    if (segment == "." || segment == "..") return true;
  }
  return false;
}

}  // namespace

bool decode_path(std::string_view raw, std::string& path) {
  path.clear();
  if (!append_decoded(path, raw, false)) return false;
  const auto is_control = [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f' || c == '\\';
  };
  if (std::any_of(path.begin(), path.end(), is_control)) return false;
  return codecs::is_utf8(path) && !has_dot_segment(path);
}

std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  if (!append_decoded(out, text, false)) return std::nullopt;
  return out;
}

std::vector<std::pair<std::string, std::string>> query_pairs(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto& [name, value] = pairs.emplace_back();
    if (!append_decoded(name, pair.substr(0, equals), true) ||
        (equals != pair.npos && !append_decoded(value, pair.substr(equals + 1), true)))
      throw problem(400, "the query has a % without two hexadecimal digits");
  }
  return pairs;
}

std::vector<std::string> query_values(std::string_view query, std::string_view name, std::size_t max) {
  std::vector<std::string> values;
  std::string decoded;
  while (!query.empty() && values.size() < max) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const auto equals = pair.find('=');
    decoded.clear();
    if (!append_decoded(decoded, pair.substr(0, equals), true))
      throw problem(400, "the query has a % without two hexadecimal digits");
    if (decoded != name) continue;
    std::string value;
    if (equals != pair.npos && !append_decoded(value, pair.substr(equals + 1), true)) {
      throw problem(400, "the query has a % without two hexadecimal digits");
    }
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace quarq::http
