#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/http/answers.hpp>
#include <quarq/http/problem.hpp>

#include "http/message/characters.hpp"

namespace quarq::http {

namespace detail {

response answer_of_absence() {
  return answer_of(problem(404));
}

}  // namespace detail

response text(std::string body, int status) {
  return response(status, std::move(body), "text/plain; charset=utf-8");
}

response redirect(std::string_view location, int status) {
  const bool is_redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  if (!is_redirect)
    throw usage_error(fmt::format("http::redirect: {} is not the status of a redirect", status));
  for (const char c : location) {
    if (!is(c, character::target) && c != '#') {
      throw usage_error("http::redirect: the location has a character that must be written as %XX");
    }
  }
  response r(status);
  r.headers.set("Location", location);
  return r;
}

response streamed(std::string_view content_type, std::function<awaitable<void>(body_writer&)> write) {
  response r;
  if (!content_type.empty()) r.headers.set("Content-Type", content_type);
  r.write_body = std::move(write);
  return r;
}

}  // namespace quarq::http
