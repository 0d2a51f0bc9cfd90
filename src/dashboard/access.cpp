#include "dashboard/access.hpp"

#include <quarq/http/problem.hpp>

namespace quarq::dashboard {

namespace {

// Inline scripts and those of others never run, whatever a job's arguments are.
constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view host_in(std::string_view origin) {
  const auto slashes = origin.find("://");
  return slashes == origin.npos ? std::string_view() : origin.substr(slashes + 3);
}

}  // namespace

void refuse_other_sites(const http::request& r) {
  const auto site = r.headers().find("Sec-Fetch-Site");
  if (site && *site != "same-origin" && *site != "none")
    throw http::problem(403, "a page of another site may not change anything here");
  const auto origin = r.headers().find("Origin");
  if (!site && origin && host_in(*origin) != r.headers()["Host"])
    throw http::problem(403, "a page of another origin may not change anything here");
}

void refuse_other_types(const http::request& r) {
  const auto type = r.headers()["Content-Type"];
  if (type.substr(0, type.find(';')) != "application/json")
    throw http::problem(415, "expected Content-Type: application/json");
}

std::string_view role_name(dashboard_role role) noexcept {
  return role == dashboard_role::operator_ ? "operator" : "viewer";
}

void set_security_headers(http::response& answer) {
  answer.headers.set("Content-Security-Policy", policy);
  answer.headers.set("X-Content-Type-Options", "nosniff");
  answer.headers.set("X-Frame-Options", "DENY");
  answer.headers.set("Referrer-Policy", "same-origin");
  answer.headers.set("Cross-Origin-Opener-Policy", "same-origin");
  answer.headers.set("Cross-Origin-Resource-Policy", "same-origin");
}

}  // namespace quarq::dashboard
