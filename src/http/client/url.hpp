// Absolute URLs of the schemes http and https.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quarq::http {

struct url {
  bool tls = false;
  std::string host;          ///< in lower case; an IPv6 address without its brackets
  std::uint16_t port = 80;   ///< 443 with TLS, unless it is given
  std::string target = "/";  ///< path and query, percent-encoded; never a fragment
  std::string user;          ///< decoded
  std::string password;      ///< decoded

  std::string_view scheme() const noexcept { return tls ? "https" : "http"; }
  bool has_default_port() const noexcept { return port == (tls ? 443 : 80); }
  /// For the field Host: "example.org", "[::1]:8080".
  std::string host_field() const;
  void append_host_field(std::string& out) const;
  /// "example.org:80", for CONNECT.
  std::string authority() const;
  /// "https://example.org": one origin has one text.
  std::string origin() const;
  /// The whole, without user and password.
  std::string text() const;
  friend bool operator==(const url&, const url&) = default;
};

/// Throws usage_error that names the wrong part. Spaces and bytes beyond ASCII in path and query are
/// percent-encoded; host names beyond ASCII are refused, and so are control characters.
url parse_url(std::string_view text);

/// What `reference` (of a field Location) means on the page `base`. It keeps base's user and password only
/// within the same origin. Throws usage_error.
url resolve_url(const url& base, std::string_view reference);

/// Whether the host is an IPv4 or an IPv6 address.
bool is_ip_address(std::string_view host);

/// %XX.
void append_percent(std::string& out, char c);
/// Everything but letters, digits and "-._~" as %XX.
std::string percent_encoded(std::string_view text);

}  // namespace quarq::http
