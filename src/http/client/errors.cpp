#include <fmt/format.h>

#include <quarq/http/errors.hpp>

#include "codecs/utf8.hpp"
#include "http/client/url.hpp"

namespace quarq::http {

namespace {

constexpr std::size_t shown_body = 200;

std::string place_of(const request_error::position& where) {
  using enum request_step;
  switch (where.step) {
    case waiting_for_a_connection:
      return fmt::format("waiting for a connection to {}:{}", where.host, where.port);
    case looking_up:
      return fmt::format("looking up {}", where.host);
    case connecting:
    case proxy:
    case tls:
      if (where.address.empty())
        return fmt::format("{} to {}:{}", name_of(where.step), where.host, where.port);
      return fmt::format("{} to {}", name_of(where.step), where.address);
    default:
      break;
  }
  if (where.address.empty()) return name_of(where.step);
  return fmt::format("{} ({})", name_of(where.step), where.address);
}

std::string sentence(const request_error::position& where, const std::string& cause) {
  auto text = fmt::format("{} {}: {}: {}", where.method, where.url, place_of(where), cause);
  if (where.attempt > 1 && where.reused)
    text += fmt::format(" (attempt {}, reused connection)", where.attempt);
  else if (where.attempt > 1)
    text += fmt::format(" (attempt {})", where.attempt);
  else if (where.reused)
    text += " (reused connection)";
  return text;
}

}  // namespace

const char* name_of(request_step step) noexcept {
  switch (step) {
    case request_step::waiting_for_a_connection:
      return "waiting for a connection";
    case request_step::looking_up:
      return "looking up the host";
    case request_step::connecting:
      return "connecting";
    case request_step::proxy:
      return "asking the proxy to connect";
    case request_step::tls:
      return "TLS handshake";
    case request_step::writing:
      return "writing the request";
    case request_step::first_byte:
      return "waiting for the answer";
    case request_step::reading:
      return "reading the answer";
    case request_step::redirect:
      return "following a redirect";
  }
  return "";
}

request_error::request_error(position where, std::string cause)
    : error(sentence(where, cause)), where_(std::move(where)), cause_(std::move(cause)) {}

status_error::status_error(const std::string& method, const std::string& url, response answer)
    : error(fmt::format("{} {}: status {}{}{}", method, parse_url(url).text(), answer.status,
                        answer.body.empty() ? "" : ": ", codecs::printable(answer.body, shown_body))),
      answer_(std::move(answer)) {}

}  // namespace quarq::http
