#include <fmt/format.h>

#include "http/message/characters.hpp"
#include "http/message/parser.hpp"

namespace quarq::http {

namespace {
// Of most answers. Whoever takes the fields takes their memory along.
constexpr std::size_t bytes_of_fields = 256;
constexpr std::size_t count_of_fields = 8;
}  // namespace

response_parser::response_parser(std::string_view method, message_limits limits)
    : message_parser(limits), answers_head_(method == "HEAD"), answers_connect_(method == "CONNECT") {}
response_parser::~response_parser() = default;

void response_parser::reset() {
  reset_message();
  status_ = 0;
  reason_.clear();
}

void response_parser::reset(std::string_view method) {
  answers_head_ = method == "HEAD";
  answers_connect_ = method == "CONNECT";
  reset();
}

int response_parser::status() const noexcept {
  return status_;
}
std::string_view response_parser::reason() const noexcept {
  return reason_;
}

bool response_parser::read_start_line(std::string_view line) {
  const bool has_form = line.size() >= 12 && line.starts_with("HTTP/") && is(line[5], character::digit) &&
                        line[6] == '.' && is(line[7], character::digit) && line[8] == ' ' &&
                        all_are(line.substr(9, 3), character::digit) &&
                        (line.size() == 12 || line[12] == ' ');
  if (!has_form)
    return fail(400, "the status line does not have a version of HTTP and a status of three digits");
  const auto version = line.substr(0, 8);
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return fail(505, fmt::format("{} is not spoken here", version));
  minor_version_ = line[7] - '0';
  status_ = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (status_ < 100) return fail(400, fmt::format("{:03} is not a status of HTTP", status_));
  reason_ = line.size() > 13 ? line.substr(13) : std::string_view();
  if (!all_are(reason_, character::field_value)) return fail(400, "the status line has a control character");
  make_room(bytes_of_fields, count_of_fields);
  return true;
}

bool response_parser::read_own_field(std::string_view, std::string_view) {
  return true;
}

bool response_parser::finish_header() {
  if (has_transfer_encoding_) {
    if (content_length_) return fail(400, "there are both Content-Length and Transfer-Encoding");
    if (minor_version_ == 0) return fail(400, "Transfer-Encoding has no meaning in HTTP/1.0");
  }
  const bool has_none = answers_head_ || status_ < 200 || status_ == 204 || status_ == 304 ||
                        (answers_connect_ && status_ < 300);
  // RFC 9112, 6.3: where chunked is not the last coding, the end of the connection is that of the body.
  body_ = has_none          ? body_kind::none
          : is_chunked_     ? body_kind::chunked
          : content_length_ ? body_kind::sized
                            : body_kind::until_close;
  return true;
}

}  // namespace quarq::http
