#include "http/client/redirect.hpp"

#include <quarq/errors.hpp>

namespace quarq::http {

namespace {

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// As browsers do: RFC 9110 allows it for 301 and 302, and demands it for 303.
bool becomes_get(int status, std::string_view method) {
  if (method == "GET" || method == "HEAD") return false;
  if (status == 303) return true;
  return (status == 301 || status == 302) && method == "POST";
}

redirect_decision refusal(std::string why) {
  redirect_decision decision;
  decision.what = redirect_decision::kind::refuse;
  decision.why = std::move(why);
  return decision;
}

}  // namespace

redirect_decision decide_redirect(const redirect_question& about) {
  if (!is_redirect(about.status) || about.location.empty()) return {};
  redirect_decision decision;
  try {
    decision.to = resolve_url(about.from, about.location);
  } catch (const usage_error& e) {
    return refusal(e.what());
  }
  if (about.from.tls && !decision.to.tls)
    return refusal("it leads from https to http, to " + decision.to.origin());
  const bool drops_body = becomes_get(about.status, about.method);
  decision.method = drops_body ? "GET" : std::string(about.method);
  decision.keeps_body = about.has_body && !drops_body;
  if (decision.keeps_body && !about.body_can_be_sent_again)
    return refusal("it needs the body again, which was a stream");
  decision.keeps_credentials = decision.to.origin() == about.from.origin();
  decision.what = redirect_decision::kind::follow;
  return decision;
}

void clean_for_redirect(fields& headers, const redirect_decision& decision) {
  if (!decision.keeps_credentials) {
    for (const auto* name : {"Authorization", "Cookie", "Proxy-Authorization"}) headers.erase(name);
  }
  if (!decision.keeps_body) {
    for (const auto* name : {"Content-Type", "Content-Length", "Content-Encoding", "Content-Language",
                             "Content-Location", "Transfer-Encoding"})
      headers.erase(name);
  }
  // They are about the old place.
  headers.erase("Host");
  headers.erase("Referer");
}

}  // namespace quarq::http
