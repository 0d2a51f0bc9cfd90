// How `quarq dashboard` knows who asks: by tokens, or by what a proxy in front has found out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <quarq/dashboard.hpp>
#include <quarq/http/middleware.hpp>

namespace quarq::dashboard {

struct sign_in_options {
  std::string token;                                        ///< operators'; "": there is none
  std::string viewer_token;                                 ///< likewise
  std::string user_header;                                  ///< in which a proxy says who it is; "": none
  std::vector<std::string> proxies = {"127.0.0.1", "::1"};  ///< from where that is believed
  std::vector<std::string> operators;                       ///< of those that the proxy names; "*": all

  bool is_needed() const { return !token.empty() || !viewer_token.empty() || !user_header.empty(); }
};

/// Who sent the request, and what they may do.
struct identity {
  std::string user;
  dashboard_role role = dashboard_role::none;
};

/// By "Authorization: Bearer TOKEN", or Basic with the token as the password and any name; or by the proxy's header.
identity identify(const sign_in_options& by, const http::request& r);

/// Answers 401 to those of whom nothing is known, so that browsers ask for a name and a password.
http::authentication sign_in(sign_in_options by);

/// Without it, any page could have its own name point to this machine, and read what is served here: the field Host must
/// be an address, or localhost (https://en.wikipedia.org/wiki/DNS_rebinding).
http::middleware refuse_foreign_hosts();

}  // namespace quarq::dashboard
