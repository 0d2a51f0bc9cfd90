// Cookies as browsers keep them: RFC 6265bis, with the public suffix list.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/client/url.hpp"

namespace quarq::http {

/// What a field Set-Cookie says (RFC 6265bis, 5.6).
struct set_cookie {
  std::string name;
  std::string value;
  std::optional<std::chrono::sys_seconds> expires;
  std::optional<std::chrono::seconds> max_age;
  std::string domain;  ///< in lower case, without a dot before it; "": there is none
  std::string path;    ///< "": the default
  bool secure = false;
};

/// Nullopt: it is ignored. So are, other than in RFC 6265bis, cookies without a name.
std::optional<set_cookie> parse_set_cookie(std::string_view field);

/// Whether no cookie may be set for this domain as a whole: com, co.uk, github.io.
bool is_public_suffix(const std::string& domain);

/// The cookies of one client. Not safe for use by several threads at once.
class cookie_jar {
 public:
  using time_point = std::chrono::system_clock::time_point;
  static constexpr std::size_t max_cookies = 3000;
  static constexpr std::size_t max_cookies_per_domain = 50;

  /// What `from` said in a field Set-Cookie.
  void store(const url& from, std::string_view field, time_point now);
  /// For a field Cookie: "a=b; c=d", or "".
  std::string header_for(const url& to, time_point now);

  std::size_t size() const noexcept { return cookies_.size(); }

 private:
  struct cookie {
    std::string name;
    std::string value;
    std::string domain;
    std::string path;
    bool host_only = false;
    bool secure = false;
    std::optional<time_point> expires;  ///< nullopt: with the jar
    std::uint64_t created = 0;          // their order counts
    std::uint64_t used = 0;
  };
  static bool accepts(const url& from, const set_cookie& what, cookie& made);
  bool hides_a_secure_one(const url& from, const cookie& made) const;
  void make_room(const std::string& domain, time_point now);

  std::vector<cookie> cookies_;
  std::uint64_t clock_ = 0;
};

}  // namespace quarq::http
