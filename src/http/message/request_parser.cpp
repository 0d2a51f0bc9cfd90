#include <fmt/format.h>

#include "http/message/characters.hpp"
#include "http/message/parser.hpp"

namespace quarq::http {

request_parser::request_parser(message_limits limits) : message_parser(limits) {}
request_parser::~request_parser() = default;

void request_parser::reset() {
  reset_message();
  method_.clear();
  target_.clear();
  host_.clear();
  has_host_ = has_upgrade_ = expects_continue_ = false;
}

std::string_view request_parser::method() const noexcept {
  return method_;
}
std::string_view request_parser::target() const noexcept {
  return target_;
}
bool request_parser::expects_continue() const noexcept {
  return expects_continue_ && minor_version_ > 0;
}
bool request_parser::asks_for_upgrade() const noexcept {
  return says_upgrade_ && has_upgrade_ && minor_version_ > 0;
}

bool request_parser::read_start_line(std::string_view line) {
  constexpr std::size_t max_method = 64;
  std::size_t method_end = 0;
  while (method_end < line.size() && is(line[method_end], character::token)) ++method_end;
  if (method_end == 0 || method_end == line.size() || line[method_end] != ' ') {
    return fail(400, "the request line does not begin with a method and a space");
  }
  if (method_end > max_method) return fail(400, fmt::format("the method has more than {} bytes", max_method));
  method_ = line.substr(0, method_end);
  line.remove_prefix(method_end + 1);
  std::size_t target_end = 0;
  while (target_end < line.size() && is(line[target_end], character::target)) ++target_end;
  if (target_end == 0 || target_end == line.size() || line[target_end] != ' ') {
    return fail(400, "the request line does not have a target without white space, and a version after it");
  }
  target_ = line.substr(0, target_end);
  line.remove_prefix(target_end + 1);
  const bool is_version = line.size() == 8 && line.starts_with("HTTP/") && is(line[5], character::digit) &&
                          line[6] == '.' && is(line[7], character::digit);
  if (!is_version) return fail(400, "the request line does not end in a version of HTTP");
  if (line != "HTTP/1.1" && line != "HTTP/1.0") return fail(505, fmt::format("{} is not spoken here", line));
  minor_version_ = line[7] - '0';
  return true;
}

bool request_parser::read_own_field(std::string_view name, std::string_view value) {
  if (name.size() == 4 && equal_names(name, "host")) {
    if (has_host_) return fail(400, "the field Host occurs twice");
    has_host_ = true;
    host_ = value;
  } else if (name.size() == 6 && equal_names(name, "expect")) {
    if (!equal_names(value, "100-continue"))
      return fail(417, "the field Expect has something other than 100-continue");
    expects_continue_ = true;
  } else if (name.size() == 7 && equal_names(name, "upgrade")) {
    has_upgrade_ = !value.empty();
  }
  return true;
}

// A name or an address, and maybe a port.
bool request_parser::check_host() {
  if (!has_host_) return minor_version_ == 0 || fail(400, "the field Host is missing");
  if (host_.empty() || !all_are(host_, character::host)) return fail(400, "the field Host is not a host");
  const auto address_end = host_.front() == '[' ? host_.find(']') : 0;
  if (address_end == host_.npos) return fail(400, "the field Host is not a host");
  const auto port = host_.find(':', address_end);
  if (port != host_.npos && !all_are(std::string_view(host_).substr(port + 1), character::digit)) {
    return fail(400, "the field Host has a port that is not a number");
  }
  return true;
}

// RFC 9112, 3.2.
bool request_parser::check_target() {
  if (method_ == "CONNECT") {
    const auto port = target_.rfind(':');
    const bool is_authority = port != target_.npos && port > 0 && port + 1 < target_.size() &&
                              all_are(target_, character::host) &&
                              all_are(std::string_view(target_).substr(port + 1), character::digit);
    return is_authority || fail(400, "the target of CONNECT is not a host and a port");
  }
  if (target_.front() == '/') return true;
  if (target_ == "*") return method_ == "OPTIONS" || fail(400, "the target * is for OPTIONS only");
  std::string_view rest(target_);
  const auto scheme = rest.find("://");
  if (scheme == rest.npos ||
      !(equal_names(rest.substr(0, scheme), "http") || equal_names(rest.substr(0, scheme), "https"))) {
    return fail(400, "the target is neither a path nor a URL of http or https");
  }
  rest.remove_prefix(scheme + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  if (authority.empty() || !all_are(authority, character::host))
    return fail(400, "the target's host is not a host");
  if (has_host_ && !equal_names(authority, host_))
    return fail(400, "the target and the field Host name two hosts");
  return true;
}

bool request_parser::finish_header() {
  if (!check_host() || !check_target()) return false;
  if (has_transfer_encoding_) {
    if (content_length_) return fail(400, "there are both Content-Length and Transfer-Encoding");
    if (minor_version_ == 0) return fail(400, "Transfer-Encoding has no meaning in HTTP/1.0");
    if (!is_chunked_) return fail(400, "the field Transfer-Encoding does not end in chunked, once");
    if (has_unknown_coding_) return fail(501, "the field Transfer-Encoding has a coding other than chunked");
  }
  if (method_ == "CONNECT" && (has_transfer_encoding_ || content_length_.value_or(0) > 0)) {
    return fail(400, "CONNECT has a body");
  }
  body_ = has_transfer_encoding_ ? body_kind::chunked : content_length_ ? body_kind::sized : body_kind::none;
  return true;
}

}  // namespace quarq::http
