// Who may do what, and whether a write comes from where it says. Plain functions of a request.
#pragma once

#include <string>
#include <string_view>

#include <quarq/dashboard.hpp>
#include <quarq/http/request.hpp>

namespace quarq::dashboard {

/// Throws http::problem(403) if the browser says, or does not deny, that another site's page sends this. A browser says
/// it by Sec-Fetch-Site (https://www.w3.org/TR/fetch-metadata/) or, an old one, by Origin; programs that are no browsers
/// send neither.
void refuse_other_sites(const http::request& r);

/// Throws http::problem(415) unless the body is JSON: a form of another site can't send that.
void refuse_other_types(const http::request& r);

/// "viewer" or "operator". REQUIRES: not none.
std::string_view role_name(dashboard_role role) noexcept;

/// Of every answer: what its pages may load, and that nobody else's may show them.
void set_security_headers(http::response& answer);

}  // namespace quarq::dashboard
