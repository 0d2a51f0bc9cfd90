#include "http/server/router.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "http/message/writer.hpp"
#include "http/server/target.hpp"

namespace quarq::http {

namespace {

constexpr const char* parameter = "{}";  // in place of a segment; no literal one has braces

// Of "/users/{id}": "users" and "{}", and the name "id".
std::vector<std::string> segments_of(std::string_view pattern, std::vector<std::string>& names) {
  std::vector<std::string> segments;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    const auto segment = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(segment.size());
    if (segment.starts_with('{')) {
      names.emplace_back(segment.substr(1, segment.size() - 2));
      segments.emplace_back(parameter);
    } else {
      segments.emplace_back(segment);
    }
  }
  return segments;
}

// At the first difference the literal segment comes first.
bool is_more_exact(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if ((a[i] == parameter) != (b[i] == parameter)) return b[i] == parameter;
  }
  return false;
}

bool has_escaped_slash(std::string_view raw) {
  return raw.find("%2F") != raw.npos || raw.find("%2f") != raw.npos;
}

}  // namespace

router::entry& router::entry_of(const std::vector<std::string>& segments) {
  const auto here = std::find_if(patterns_.begin(), patterns_.end(),
                                 [&](const entry& e) { return e.segments == segments; });
  if (here != patterns_.end()) return *here;
  const auto place = std::find_if(patterns_.begin(), patterns_.end(),
                                  [&](const entry& e) { return is_more_exact(segments, e.segments); });
  return *patterns_.insert(place, entry{segments, {}});
}

void router::add(detail::route one) {
  if (!is_token(one.method))
    throw usage_error(fmt::format("the route {}: its method is not a token", one.pattern));
  const auto segments = segments_of(one.pattern, one.names);
  auto& at = one.names.empty() ? literals_[one.pattern] : entry_of(segments);
  for (const auto& r : at.routes) {
    if (r->method == one.method)
      throw usage_error(fmt::format("the routes {0} {1} and {0} {2} are for the same requests", one.method,
                                    r->pattern, one.pattern));
  }
  at.routes.push_back(std::make_unique<detail::route>(std::move(one)));
}

void router::add_prefix(std::string_view prefix, detail::route one) {
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (!prefix.empty() && !prefix.starts_with('/'))
    throw usage_error(fmt::format("the prefix {} does not begin with a slash", prefix));
  const auto takes = [&](const auto& other) {
    return other.first.size() == prefix.size() + 1 && other.first.starts_with(prefix) &&
           !std::ranges::any_of(other.second.routes, [&](const auto& r) { return r->method == one.method; });
  };
  if (const auto same = std::ranges::find_if(prefixes_, takes); same != prefixes_.end()) {
    same->second.routes.push_back(std::make_unique<detail::route>(std::move(one)));
    return;
  }
  // The longest first, and of the same length the one that came first.
  const auto is_shorter = [&](const auto& other) { return other.first.size() < prefix.size() + 1; };
  const auto place = std::ranges::find_if(prefixes_, is_shorter);
  auto& at = *prefixes_.emplace(place, std::string(prefix) + '/', entry());
  at.second.routes.push_back(std::make_unique<detail::route>(std::move(one)));
}

bool router::fits(const entry& one, std::string_view raw_path, std::vector<std::string>& parameters) {
  parameters.clear();
  for (const auto& wanted : one.segments) {
    if (raw_path.empty()) return false;
    raw_path.remove_prefix(1);
    const auto segment = raw_path.substr(0, raw_path.find('/'));
    raw_path.remove_prefix(segment.size());
    auto decoded = decode_percent(segment);
    if (!decoded) return false;
    if (wanted == parameter) {
      if (decoded->empty()) return false;
      parameters.push_back(std::move(*decoded));
    } else if (*decoded != wanted) {
      return false;
    }
  }
  return raw_path.empty();
}

const router::entry* router::find_entry(std::string_view raw_path, std::string_view path,
                                        std::vector<std::string>& parameters) const {
  // An escaped slash is part of a segment, which the decoded path does not show.
  if (!has_escaped_slash(raw_path)) {
    const auto literal = literals_.find(path);
    if (literal != literals_.end()) return &literal->second;
  }
  for (const auto& one : patterns_) {
    if (fits(one, raw_path, parameters)) return &one;
  }
  parameters.clear();
  for (const auto& [prefix, one] : prefixes_) {
    if (path.starts_with(prefix) || path == std::string_view(prefix).substr(0, prefix.size() - 1))
      return &one;
  }
  return nullptr;
}

router::match router::choose(const entry& one, std::string_view method) {
  match result;
  const detail::route* for_get = nullptr;
  for (const auto& r : one.routes) {
    if (r->method == method) result.found = r.get();
    if (r->method == "GET") for_get = r.get();
  }
  if (!result.found && method == "HEAD") result.found = for_get;
  if (result.found) return result;
  for (const auto& r : one.routes) result.allow += r->method + (r->method == "GET" ? ", HEAD, " : ", ");
  result.allow += "OPTIONS";
  return result;
}

router::match router::find(std::string_view method, std::string_view raw_path, std::string_view path,
                           std::vector<std::string>& parameters) const {
  parameters.clear();
  const auto* one = find_entry(raw_path, path, parameters);
  return one ? choose(*one, method) : match();
}

}  // namespace quarq::http
