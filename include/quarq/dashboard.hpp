// The dashboard: what a broker's queues, jobs and workers do, in a browser.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <quarq/http/request.hpp>
#include <quarq/http/server.hpp>
#include <quarq/queue.hpp>

namespace quarq {

/// What somebody may do at a dashboard.
enum class dashboard_role {
  none,       ///< 403
  viewer,     ///< look at everything
  operator_,  ///< and pause queues, cancel, requeue and purge jobs, run cron jobs
};

struct dashboard_options {
  /// Where it is served: "/ops" is a page at /ops/. Empty: at the server's root.
  std::string prefix = {};
  /// Who may do what, by what an authentication has found (request::user()) or by header fields. Empty: everybody
  /// whom the server lets through is an operator.
  std::function<dashboard_role(const http::request&)> role_of = {};
  /// Values of arguments and results are shown as "[redacted]" where the name of their member, or of the argument,
  /// contains one of these; case, "_" and "-" make no difference. Arguments that were given by position have no names
  /// of their own; members of objects in them do.
  std::vector<std::string> redacted = {"password", "passwd",        "secret",     "token",      "api_key",
                                       "apikey",   "authorization", "credential", "private_key"};
  /// Show no arguments and results at all.
  bool hide_payloads = false;
  /// A file to which each change is appended as a line of JSON: when, who, from where, what, and what came of it.
  /// Empty: the log alone has them.
  std::string audit_file = {};
};

/// Lets the server answer, below `options.prefix`: the pages, the JSON API that they use (docs/dashboard.md), and
/// /metrics with what the broker knows of its queues (OpenMetrics). It shows all queues of the broker of `where`, whose
/// name makes no difference.
///
/// The dashboard has no passwords of its own: add an authentication to the server, before or after this. Writes are
/// taken from its own pages only, as browsers tell by Sec-Fetch-Site or Origin, and from programs that are no browsers.
/// The queue is used on the server's loop. Throws usage_error if audit_file can't be written.
void serve_dashboard(http::server& by, queue where, dashboard_options options = {});

}  // namespace quarq
