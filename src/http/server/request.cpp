#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include <quarq/detail/http_json.hpp>
#include <quarq/detail/model_engine.hpp>
#include <quarq/errors.hpp>
#include <quarq/http/problem.hpp>
#include <quarq/http/request.hpp>

#include "base/text.hpp"
#include "codecs/utf8.hpp"
#include "http/message/characters.hpp"
#include "http/server/router.hpp"
#include "http/server/target.hpp"

namespace quarq::http {

namespace detail {

request_facts& request_access::of(request& r) noexcept {
  return r.facts_;
}
const request_facts& request_access::of(const request& r) noexcept {
  return r.facts_;
}

const std::string& path_text(const request& r, std::size_t index) {
  return request_access::of(r).parameters.at(index);
}

void throw_no_such_path(const request&) {
  throw problem(404, "nothing has this path");
}

void throw_bad_query(std::string_view name, std::string_view text) {
  constexpr std::size_t shown = 80;
  throw problem(422,
                fmt::format("query: parameter {}: can't be \"{}\"", name, codecs::printable(text, shown)));
}

void check_body_type(const request& r) {
  const auto whole = r.headers()["Content-Type"];
  const auto type = base::trimmed(whole.substr(0, whole.find(';')));
  const bool is_json = type.empty() || equal_names(type, "application/json") ||
                       (type.size() > 5 && equal_names(type.substr(type.size() - 5), "+json"));
  if (!is_json) throw problem(415, "the body must be application/json");
}

std::string msgpack_of_body(const request& r) {
  try {
    return msgpack_of_json(request_access::of(r).whole_body, "body");
  } catch (const decode_error& e) {
    throw problem(400, e.what());
  }
}

void read_model(const request& r, const validation::type& what, void* target) {
  auto errors = validation::read_json(what, target, request_access::of(r).whole_body, false);
  if (errors.empty()) return;
  const bool is_json = errors.back().kind != "json_invalid";
  throw problem(is_json ? 422 : 400, "the body is not as it should be", std::move(errors));
}

void read_query_model(const request& r, const validation::object_type& what, void* target) {
  std::vector<validation::named_text> values;
  for (auto& [name, text] : query_pairs(request_access::of(r).query))
    values.push_back({std::move(name), std::move(text)});
  auto errors = validation::read_texts(what, target, values);
  if (!errors.empty()) throw problem(422, "the query is not as it should be", std::move(errors));
}

void throw_bad_body(const decode_error& e) {
  throw problem(422, e.what());
}

}  // namespace detail

const std::string& request::parameter(std::string_view name) const {
  if (facts_.matched) {
    const auto& names = facts_.matched->names;
    const auto here = std::find(names.begin(), names.end(), name);
    if (here != names.end()) return facts_.parameters.at(static_cast<std::size_t>(here - names.begin()));
  }
  throw usage_error(fmt::format("request::parameter: the route has no {{{}}}", name));
}

std::optional<std::string> request::query(std::string_view name) const {
  auto values = query_values(facts_.query, name, 1);
  if (values.empty()) return std::nullopt;
  return std::move(values.front());
}

std::vector<std::string> request::query_all(std::string_view name) const {
  return query_values(facts_.query, name, std::numeric_limits<std::size_t>::max());
}

awaitable<std::string> request::body() {
  std::string whole;
  while (true) {
    const auto part = co_await facts_.body->read_some();
    if (part.empty()) break;
    whole += part;
  }
  co_return whole;
}

awaitable<std::string_view> request::read_body_some() {
  return facts_.body->read_some();
}

}  // namespace quarq::http
