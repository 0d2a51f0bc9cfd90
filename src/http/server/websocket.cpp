#include <quarq/detail/http_websocket.hpp>
#include <quarq/http/answers.hpp>
#include <quarq/http/problem.hpp>

#include "http/server/upgrade.hpp"

namespace quarq::http::detail {

websocket_setup::websocket_setup(const websocket_options& given)
    : options(given), subprotocols_(given.subprotocols), origins_(given.origins) {
  options.subprotocols = subprotocols_;
  options.origins = origins_;
}

response answer_websocket(const request& r, std::shared_ptr<const websocket_setup> setup,
                          websocket_server serve) {
  const auto& facts = request_access::of(r);
  auto answer = ws::answer_upgrade({r.method(), facts.minor_version, r.headers()}, setup->options);
  if (answer.status != 101) {
    auto refusal = answer_of(problem(answer.status, answer.what));
    for (const auto field : answer.headers) refusal.headers.set(field.name, field.value);
    return refusal;
  }
  response accepted(101);
  accepted.headers = std::move(answer.headers);
  accepted.upgrade = std::make_shared<upgrade>(std::move(setup), std::move(serve), std::move(answer.agreed));
  return accepted;
}

}  // namespace quarq::http::detail
