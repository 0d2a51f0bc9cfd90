#include "http/server/early_answer.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <quarq/http/problem.hpp>

namespace quarq::http {

namespace {

constexpr std::array<std::string_view, 8> known_methods{"GET",   "HEAD",   "POST",    "PUT",
                                                        "PATCH", "DELETE", "OPTIONS", "TRACE"};

response no_content(std::string_view allow) {
  response r(204);
  r.headers.set("Allow", allow);
  return r;
}

}  // namespace

std::optional<response> early_answer(const router& routes, std::string_view raw_path,
                                     detail::request_facts& facts) {
  facts.parameters.clear();
  facts.path = raw_path;
  if (raw_path == "*") return no_content("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  if (!decode_path(raw_path, facts.path)) {
    facts.path = raw_path;
    return answer_of(problem(400, "the path has something that could mean another path"));
  }
  auto found = routes.find(facts.method, raw_path, facts.path, facts.parameters);
  facts.matched = found.found;
  if (found.found) return std::nullopt;
  if (facts.method == "OPTIONS" && !found.allow.empty()) return no_content(found.allow);
  const bool is_known =
      std::find(known_methods.begin(), known_methods.end(), facts.method) != known_methods.end();
  if (!is_known) return answer_of(problem(501, fmt::format("the method {} is not known here", facts.method)));
  if (found.allow.empty()) return answer_of(problem(404, "nothing has this path"));
  return answer_of(
      problem(405, fmt::format("this path does not take {}", facts.method), {{"Allow", found.allow}}));
}

}  // namespace quarq::http
