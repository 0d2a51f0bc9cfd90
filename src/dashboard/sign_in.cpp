#include "dashboard/sign_in.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include <quarq/http/problem.hpp>

#include "codecs/base64.hpp"

namespace quarq::dashboard {

namespace {

struct credentials {
  std::string user, secret;
};

bool begins_with_scheme(std::string_view text, std::string_view scheme) {
  if (text.size() <= scheme.size() || text[scheme.size()] != ' ') return false;
  return std::ranges::equal(text.substr(0, scheme.size()), scheme,
                            [](char a, char b) { return (a | 0x20) == (b | 0x20); });
}

std::optional<credentials> credentials_of(const http::request& r) {
  constexpr std::string_view basic = "Basic", bearer = "Bearer";
  const auto text = r.headers()["Authorization"];
  credentials found;
  if (begins_with_scheme(text, bearer)) {
    found.secret = text.substr(bearer.size() + 1);
    return found;
  }
  if (!begins_with_scheme(text, basic)) return std::nullopt;
  const auto decoded = codecs::from_base64(text.substr(basic.size() + 1));
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  found.user = decoded->substr(0, colon);
  found.secret = decoded->substr(colon + 1);
  return found;
}

// Both are compared, whichever it is.
dashboard_role role_of_secret(const sign_in_options& by, const std::string& secret) {
  const bool is_operators = http::same_secret(secret, by.token) && !by.token.empty();
  const bool is_viewers = http::same_secret(secret, by.viewer_token) && !by.viewer_token.empty();
  if (is_operators) return dashboard_role::operator_;
  return is_viewers ? dashboard_role::viewer : dashboard_role::none;
}

// "127.0.0.1:51234", "[::1]:51234".
std::string_view address_in(std::string_view peer) {
  peer = peer.substr(0, peer.rfind(':'));
  if (peer.starts_with('[') && peer.ends_with(']')) peer = peer.substr(1, peer.size() - 2);
  return peer;
}

bool is_in(const std::vector<std::string>& all, std::string_view one) {
  return std::ranges::find(all, one) != all.end();
}

}  // namespace

identity identify(const sign_in_options& by, const http::request& r) {
  identity who;
  if (const auto given = credentials_of(r)) {
    who.role = role_of_secret(by, given->secret);
    who.user = given->user.empty() ? "token" : given->user;
  }
  if (who.role != dashboard_role::none || by.user_header.empty()) return who;
  if (!is_in(by.proxies, address_in(r.peer()))) return who;
  who.user = r.headers()[by.user_header];
  if (who.user.empty()) return who;
  const bool may_change = is_in(by.operators, who.user) || is_in(by.operators, "*");
  who.role = may_change ? dashboard_role::operator_ : dashboard_role::viewer;
  return who;
}

http::authentication sign_in(sign_in_options by) {
  http::authentication result;
  const auto kept = std::make_shared<const sign_in_options>(std::move(by));
  result.check = [kept](http::request& r, http::next go_on) {
    auto who = identify(*kept, r);
    if (who.role == dashboard_role::none) {
      throw http::problem(401, "who you are is not proven",
                          {{"WWW-Authenticate", "Basic realm=\"quarq dashboard\", charset=\"UTF-8\""}});
    }
    r.set_user(std::move(who.user));
    return go_on(r);
  };
  return result;
}

http::middleware refuse_foreign_hosts() {
  return [](http::request& r, http::next go_on) {
    auto host = r.headers()["Host"];
    const auto colon = host.rfind(':');
    if (colon != host.npos && host.find(']', colon) == host.npos) host = host.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    boost::system::error_code failed;
    boost::asio::ip::make_address(std::string(host), failed);
    if (failed && host != "localhost") {
      throw http::problem(421, "without a token this dashboard is served for an address or localhost only");
    }
    return go_on(r);
  };
}

}  // namespace quarq::dashboard
