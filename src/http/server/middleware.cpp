#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <quarq/errors.hpp>
#include <quarq/http/middleware.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "codecs/utf8.hpp"
#include "http/coding/content_encoder.hpp"
#include "http/message/characters.hpp"
#include "http/message/writer.hpp"

namespace quarq::http {

namespace {

// ---- CORS

struct cors_fields {
  cors_options options;
  std::string methods;
  std::string headers;
  std::string exposed;
};

// What Access-Control-Allow-Origin says; "" if this origin may not.
std::string allowed_origin(const cors_options& o, std::string_view origin) {
  if (origin.empty()) return {};
  for (const auto& one : o.origins) {
    if (one == "*") return "*";
    if (equal_names(one, origin)) return std::string(origin);
  }
  return {};
}

void allow(response& answer, const cors_fields& f, const std::string& origin) {
  answer.headers.add("Vary", "Origin");
  if (origin.empty()) return;
  answer.headers.set("Access-Control-Allow-Origin", origin);
  if (f.options.credentials) answer.headers.set("Access-Control-Allow-Credentials", "true");
  if (!f.exposed.empty()) answer.headers.set("Access-Control-Expose-Headers", f.exposed);
}

response preflight(const cors_fields& f, const std::string& origin) {
  response answer(204);
  allow(answer, f, origin);
  if (origin.empty()) return answer;
  answer.headers.set("Access-Control-Allow-Methods", f.methods);
  answer.headers.set("Access-Control-Allow-Headers", f.headers);
  answer.headers.set("Access-Control-Max-Age", std::to_string(f.options.max_age.count()));
  return answer;
}

awaitable<response> add_cors(std::shared_ptr<const cors_fields> f, request& r, next go_on) {
  const auto origin = allowed_origin(f->options, r.headers()["Origin"]);
  const bool is_preflight = r.method() == "OPTIONS" && r.headers().contains("Origin") &&
                            r.headers().contains("Access-Control-Request-Method");
  response answer;
  if (is_preflight) {
    answer = preflight(*f, origin);
  } else {
    auto made = co_await go_on(r);
    answer = std::move(made);
    allow(answer, *f, origin);
  }
  co_return answer;
}

// ---- the access log

void log_request(const request& r, int status, std::size_t bytes, std::chrono::steady_clock::duration took) {
  constexpr std::size_t max = 500;
  base::log().info("{} {} \"{} {}\" {} {} {}", r.peer(),
                   r.user().empty() ? "-" : codecs::printable(r.user(), max), r.method(),
                   codecs::printable(r.path(), max), status, bytes,
                   base::human_duration(std::chrono::duration_cast<std::chrono::microseconds>(took)));
}

awaitable<response> log_access(request& r, next go_on) {
  const auto began = std::chrono::steady_clock::now();
  auto answer = co_await go_on(r);
  log_request(r, answer.status, answer.body.size(), std::chrono::steady_clock::now() - began);
  co_return answer;
}

// ---- compression

constexpr std::size_t min_compressed = 1024;

bool is_compressible(std::string_view type) {
  type = base::trimmed(type.substr(0, type.find(';')));
  return type.starts_with("text/") || type == "application/json" || type.ends_with("+json") ||
         type == "application/xml" || type.ends_with("+xml") || type == "application/javascript" ||
         type == "application/wasm";
}

void compress(response& answer, std::string_view accepted) {
  const bool fits = answer.status == 200 && !answer.write_body && answer.body.size() >= min_compressed &&
                    is_compressible(answer.headers["Content-Type"]) &&
                    !answer.headers.contains("Content-Encoding");
  if (!fits) return;
  answer.headers.add("Vary", "Accept-Encoding");
  const auto coding = best_coding(accepted);
  if (!coding) return;
  content_encoder encoder(*coding);
  std::string coded;
  encoder.write(answer.body, coded);
  encoder.finish(coded);
  if (coded.size() >= answer.body.size()) return;
  answer.body = std::move(coded);
  answer.headers.set("Content-Encoding", name_of(*coding));
  // The bytes are others, and what they say is the same.
  const std::string etag(answer.headers["ETag"]);
  if (etag.starts_with('"')) answer.headers.set("ETag", "W/" + etag);
}

awaitable<response> compress_answer(request& r, next go_on) {
  auto answer = co_await go_on(r);
  compress(answer, r.headers()["Accept-Encoding"]);
  co_return answer;
}

}  // namespace

middleware cors(cors_options options) {
  const bool takes_all =
      std::find(options.origins.begin(), options.origins.end(), "*") != options.origins.end();
  if (takes_all && options.credentials)
    throw usage_error("http::cors: \"*\" does not go together with credentials");
  auto f = std::make_shared<cors_fields>();
  f->methods = fmt::format("{}", fmt::join(options.methods, ", "));
  f->headers = fmt::format("{}", fmt::join(options.headers, ", "));
  f->exposed = fmt::format("{}", fmt::join(options.exposed_headers, ", "));
  for (const auto* list : {&f->methods, &f->headers, &f->exposed}) {
    if (!is_field_value(*list)) throw usage_error("http::cors: a name has a control character");
  }
  f->options = std::move(options);
  return [f](request& r, next go_on) { return add_cors(f, r, go_on); };
}

middleware access_log() {
  return log_access;
}

middleware compression() {
  return compress_answer;
}

}  // namespace quarq::http
