#include "http/message/writer.hpp"

#include <charconv>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "debug/escape.hpp"
#include "http/message/characters.hpp"

namespace quarq::http {

namespace {

void append_fields(std::string& out, const fields& headers) {
  for (const auto& f : headers) append_field(out, f);
  out += "\r\n";
}

}  // namespace

bool is_token(std::string_view text) noexcept {
  return !text.empty() && all_are(text, character::token);
}

bool is_field_value(std::string_view text) noexcept {
  return all_are(text, character::field_value);
}

void append_request_line(std::string& out, std::string_view method, std::string_view target) {
  if (!is_token(method))
    throw usage_error(
        fmt::format("a request's method must be a token, not \"{}\"", debug::escaped(method, '"')));
  if (target.empty() || !all_are(target, character::target)) {
    throw usage_error(fmt::format("a request's target must be visible ASCII without '#', not \"{}\"",
                                  debug::escaped(target, '"')));
  }
  out += method;
  out += ' ';
  out += target;
  out += " HTTP/1.1\r\n";
}

void append_request_header(std::string& out, std::string_view method, std::string_view target,
                           const fields& headers) {
  append_request_line(out, method, target);
  append_fields(out, headers);
}

void append_field(std::string& out, const field& one) {
  out += one.name;
  out += ": ";
  out += one.value;
  out += "\r\n";
}

void append_status_line(std::string& out, int status, std::string_view reason) {
  if (status < 100 || status > 999) throw usage_error(fmt::format("{} is not a status of HTTP", status));
  if (!is_field_value(reason)) throw usage_error("a response's reason has a control character");
  const auto digit = [](int value) { return static_cast<char>('0' + value % 10); };
  out += "HTTP/1.1 ";
  out += digit(status / 100);
  out += digit(status / 10);
  out += digit(status);
  out += ' ';
  out += reason.empty() ? reason_of(status) : reason;
  out += "\r\n";
}

void append_response_header(std::string& out, int status, const fields& headers, std::string_view reason) {
  append_status_line(out, status, reason);
  append_fields(out, headers);
}

void append_chunk(std::string& out, std::string_view data) {
  if (data.empty()) return;
  char size[16];
  const auto end = std::to_chars(size, size + sizeof size, data.size(), 16).ptr;
  out.append(size, end);
  out += "\r\n";
  out += data;
  out += "\r\n";
}

void append_last_chunk(std::string& out) {
  out += "0\r\n\r\n";
}

std::string_view reason_of(int status) noexcept {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 102:
      return "Processing";
    case 103:
      return "Early Hints";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 203:
      return "Non-Authoritative Information";
    case 204:
      return "No Content";
    case 205:
      return "Reset Content";
    case 206:
      return "Partial Content";
    case 207:
      return "Multi-Status";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 418:
      return "I'm a teapot";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 424:
      return "Failed Dependency";
    case 425:
      return "Too Early";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 451:
      return "Unavailable For Legal Reasons";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    case 511:
      return "Network Authentication Required";
    default:
      return "";
  }
}

}  // namespace quarq::http
