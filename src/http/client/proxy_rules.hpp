// Through which proxy a request goes, as the environment says.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "http/client/url.hpp"

namespace quarq::http {

/// The hosts of NO_PROXY. Its entries are separated by commas or spaces: "*"; a domain, which means its
/// subdomains, too, with or without a dot before it; an address; addresses as 10.0.0.0/8. All but the first and
/// the last may have a port.
class no_proxy_list {
 public:
  no_proxy_list() = default;
  explicit no_proxy_list(std::string_view text);

  /// Whether no proxy is used for this host, a name in lower case or an address without brackets.
  bool matches(std::string_view host, std::uint16_t port) const;

 private:
  struct entry {
    std::string domain;  ///< without a dot before it; "" if it is an address
    boost::asio::ip::address address;
    int prefix = -1;         ///< how many bits of the address count; -1: no range
    std::uint16_t port = 0;  ///< 0: any
  };
  static std::optional<entry> read(std::string_view text);
  static bool matches(const entry& one, std::string_view host,
                      const std::optional<boost::asio::ip::address>& address);

  bool all_ = false;
  std::vector<entry> entries_;
};

/// Decides for each URL. Proxies of the environment are never used for loopback addresses and localhost.
class proxy_rules {
 public:
  /// No proxy at all.
  proxy_rules() = default;
  /// This one for all URLs. Throws usage_error if it is not an http:// URL.
  explicit proxy_rules(std::string_view proxy);
  /// As http_proxy, HTTPS_PROXY, ALL_PROXY and NO_PROXY say, each also in the other case; lower case comes first.
  /// HTTP_PROXY is ignored where REQUEST_METHOD is set: in a CGI program it is a field of the request. Throws
  /// usage_error that names the variable.
  static proxy_rules from_environment(const std::function<const char*(const char*)>& get);

  /// The proxy for this URL, or nullopt.
  std::optional<url> proxy_for(const url& target) const;

 private:
  std::optional<url> http_, https_;
  no_proxy_list except_;
  bool also_loopback_ = false;
};

}  // namespace quarq::http
