// Which handler a request is for.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <quarq/http/server.hpp>

namespace quarq::http {

namespace detail {

struct route {
  std::string method;
  std::string pattern;
  handler call;
  route_options how;
  std::vector<std::string> names;  ///< of its parameters, in order
};

}  // namespace detail

/// Routes by their patterns. A literal segment goes before a parameter: "/users/me" before "/users/{id}".
class router {
 public:
  struct match {
    const detail::route* found = nullptr;
    /// Where no route has this method: those that there are, as the field Allow has them; "": the path is unknown.
    std::string allow;
  };

  /// Throws usage_error if the method is no token, or there is a route for the same requests.
  void add(detail::route one);
  /// A route for all paths that begin with this one; other routes go before it. Of two for the same requests, the
  /// first one counts.
  void add_prefix(std::string_view prefix, detail::route one);

  /// `raw_path` is not decoded, `path` is. The values of its parameters replace those in `parameters`.
  match find(std::string_view method, std::string_view raw_path, std::string_view path,
             std::vector<std::string>& parameters) const;

 private:
  // All methods of one pattern.
  struct entry {
    std::vector<std::string> segments;  // "{}" for a parameter
    std::vector<std::unique_ptr<detail::route>> routes;
  };
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };

  entry& entry_of(const std::vector<std::string>& segments);
  const entry* find_entry(std::string_view raw_path, std::string_view path,
                          std::vector<std::string>& parameters) const;
  static bool fits(const entry& one, std::string_view raw_path, std::vector<std::string>& parameters);
  static match choose(const entry& one, std::string_view method);

  std::unordered_map<std::string, entry, hash, std::equal_to<>> literals_;
  std::vector<entry> patterns_;  // the more exact ones first
  std::vector<std::pair<std::string, entry>> prefixes_;
};

}  // namespace quarq::http
