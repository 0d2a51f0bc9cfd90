#include "http/client/outgoing.hpp"

#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "codecs/base64.hpp"
#include "codecs/json.hpp"
#include "codecs/utf8.hpp"
#include "http/client/resend.hpp"
#include "http/message/characters.hpp"
#include "http/message/writer.hpp"

namespace quarq::http {

namespace {

constexpr std::size_t size_of_most_headers = 256;

void check_method(std::string_view method) {
  if (!is_token(method) || method == "CONNECT")
    throw usage_error(fmt::format("\"{}\" is not a method that can be sent", codecs::printable(method, 50)));
}

void set_body(outgoing& request, std::string body, std::string_view type) {
  if (request.has_body)
    throw usage_error("a request has at most one of json, form, multipart, body and stream");
  request.has_body = true;
  request.body = std::move(body);
  request.headers.set("Content-Type", type);
}

void set_bodies(outgoing& request, const request_options& options) {
  if (options.json) set_body(request, codecs::to_json(options.json.msgpack()), "application/json");
  if (const auto* form = options.form.get())
    set_body(request, form->encoded(), "application/x-www-form-urlencoded");
  if (const auto* parts = options.multipart.get()) set_body(request, parts->encoded(), parts->content_type());
  if (options.body) set_body(request, std::string(*options.body), "text/plain; charset=utf-8");
  if (const auto* stream = options.stream.get()) {
    set_body(request, "", "application/octet-stream");
    request.stream = *stream;
  }
  if (!options.content_type.empty()) request.headers.set("Content-Type", options.content_type);
}

void append_query(url& to, const form& query) {
  if (query.encoded().empty()) return;
  to.target += (to.target.find('?') == to.target.npos ? '?' : '&') + query.encoded();
}

// Those of one name replace those of another origin together.
void set_headers(fields& all, const fields& own) {
  for (const auto one : own) {
    for (const auto* framing : {"Content-Length", "Transfer-Encoding", "Connection", "Upgrade"}) {
      if (equal_names(one.name, framing))
        throw usage_error(fmt::format("the field {} can't be set: the client sends its own", framing));
    }
    all.erase(one.name);
  }
  for (const auto one : own) all.add(one.name, one.value);
}

}  // namespace

bool outgoing::is_idempotent() const {
  return http::is_idempotent(method) || headers.contains("Idempotency-Key");
}

request_defaults::request_defaults(const client_options& from) : options(from) {
  headers.set("User-Agent", from.user_agent);
  headers.set("Accept", "*/*");
  if (from.decompress) headers.set("Accept-Encoding", "gzip, deflate, br");
  set_headers(headers, from.headers);
}

outgoing make_outgoing(const request_defaults& defaults, std::string_view method, std::string_view target,
                       const request_options& options) {
  check_method(method);
  outgoing request;
  request.method = method;
  request.target = parse_url(target);
  if (const auto* query = options.query.get()) append_query(request.target, *query);
  request.headers = defaults.headers;
  request.decompress = defaults.options.decompress;
  if (const auto own = basic_credentials(request.target);
      !own.empty() && !defaults.options.headers.contains("Authorization"))
    request.headers.set("Authorization", own);
  set_bodies(request, options);
  if (!options.bearer.empty()) request.headers.set("Authorization", "Bearer " + std::string(options.bearer));
  if (const auto* own = options.headers.get()) set_headers(request.headers, *own);
  request.timeout = options.timeout.value_or(defaults.options.timeout);
  request.max_redirects = options.max_redirects.value_or(defaults.options.max_redirects);
  request.max_body = options.max_body.value_or(defaults.options.max_body);
  return request;
}

namespace {

// Those that are not among the fields of the request.
fields fields_of_body(const outgoing& request) {
  fields framing;
  if (request.stream && !request.stream->size) {
    framing.add("Transfer-Encoding", "chunked");
  } else if (request.stream) {
    framing.add("Content-Length", std::to_string(*request.stream->size));
  } else if (request.has_body || request.method == "POST" || request.method == "PUT" ||
             request.method == "PATCH") {
    framing.add("Content-Length", std::to_string(request.body.size()));
  }
  return framing;
}

}  // namespace

std::string header_of(const outgoing& request, bool through_proxy, const added_fields& added) {
  auto last = fields_of_body(request);
  if (!added.cookies.empty() && !request.headers.contains("Cookie")) last.add("Cookie", added.cookies);
  const bool has_own_proxy = !added.proxy_authorization.empty();
  if (has_own_proxy) last.add("Proxy-Authorization", added.proxy_authorization);
  std::string header;
  header.reserve(size_of_most_headers + request.target.target.size());
  if (through_proxy) {
    append_request_line(header, request.method, request.target.text());
  } else {
    append_request_line(header, request.method, request.target.target);
  }
  // parse_url() lets no host through that is not one.
  if (!request.headers.contains("Host")) {
    header += "Host: ";
    request.target.append_host_field(header);
    header += "\r\n";
  }
  for (const auto one : request.headers) {
    if (!has_own_proxy || !equal_names(one.name, "Proxy-Authorization")) append_field(header, one);
  }
  for (const auto one : last) append_field(header, one);
  header += "\r\n";
  return header;
}

std::string basic_credentials(const url& from) {
  if (from.user.empty() && from.password.empty()) return "";
  return "Basic " + codecs::to_base64(from.user + ":" + from.password);
}

}  // namespace quarq::http
