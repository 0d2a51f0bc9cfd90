// What both kinds of message have: lines, fields, and the framing of the body.
#include "http/message/parser.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "http/message/characters.hpp"

namespace quarq::http {

namespace {
constexpr std::size_t max_first_word = 65;  // a method and the space behind it
}

message_parser::message_parser(message_limits limits) : limits_(limits) {}
message_parser::~message_parser() = default;

bool message_parser::fail(int status, std::string what) {
  phase_ = phase::failed;
  error_ = {status, std::move(what)};
  return false;
}

void message_parser::reset_message() noexcept {
  if (phase_ == phase::failed) return;
  phase_ = phase::start_line;
  fields_.clear();
  minor_version_ = 1;
  body_ = body_kind::none;
  content_length_.reset();
  has_transfer_encoding_ = is_chunked_ = has_unknown_coding_ = false;
  says_close_ = says_keep_alive_ = says_upgrade_ = false;
  has_begun_ = false;
  scanned_ = header_size_ = trailer_size_ = trailer_count_ = chunked_count_ = 0;
  left_ = received_ = 0;
}

bool message_parser::has_begun() const noexcept {
  return has_begun_;
}

bool message_parser::keeps_alive() const noexcept {
  if (body_ == body_kind::until_close || says_close_) return false;
  return minor_version_ == 1 || says_keep_alive_;
}

std::optional<std::uint64_t> message_parser::content_length() const noexcept {
  return content_length_;
}

bool message_parser::is_chunked() const noexcept {
  return is_chunked_;
}

bool message_parser::has_body() const noexcept {
  return body_ == body_kind::chunked || body_ == body_kind::until_close ||
         (body_ == body_kind::sized && content_length_.value_or(0) > 0);
}

void message_parser::limit_body(std::uint64_t bytes) noexcept {
  limits_.body = bytes;
}

// ---- lines

std::optional<std::string_view> message_parser::take_line(std::string_view& rest, std::size_t limit,
                                                          int status, const char* what) {
  if (rest.empty()) return std::nullopt;
  const auto* unseen = rest.data() + scanned_;
  const auto* newline = static_cast<const char*>(std::memchr(unseen, '\n', rest.size() - scanned_));
  const std::size_t size = newline ? static_cast<std::size_t>(newline - rest.data()) : rest.size();
  if (size > limit + 1) {
    fail(status, fmt::format("{} has more than {} bytes", what, limit));
    return std::nullopt;
  }
  if (!newline) {
    scanned_ = rest.size();
    return std::nullopt;
  }
  if (size == 0 || rest[size - 1] != '\r') {
    fail(400, fmt::format("{} ends in a line feed without a carriage return", what));
    return std::nullopt;
  }
  const auto line = rest.substr(0, size - 1);
  rest.remove_prefix(size + 1);
  scanned_ = 0;
  return line;
}

// What can't become a start line is refused before its end comes: a TLS handshake has none.
bool message_parser::check_unfinished_start(std::string_view part) {
  if (part.ends_with('\r')) part.remove_suffix(1);
  if (part.empty()) return true;
  if (!is(part.front(), character::token) || !all_are(part, character::field_value)) {
    return fail(400, "what was sent does not begin as a message of HTTP/1 does");
  }
  return true;
}

// Takes whole lines off `rest`. False: more is needed, or it failed.
bool message_parser::read_header(std::string_view& rest) {
  while (phase_ != phase::header_read) {
    const bool is_start = phase_ == phase::start_line;
    const std::size_t before = rest.size();
    const auto line = is_start ? take_line(rest, limits_.start_line, 414, "the start line")
                               : take_line(rest, limits_.field, 431, "a header field");
    if (phase_ == phase::failed) {
      if (is_start && rest.substr(0, max_first_word).find(' ') == rest.npos)
        error_ = {400, "the start line's first word is too long"};
      return false;
    }
    const std::size_t size = header_size_ + (line ? before - rest.size() : rest.size());
    if (size > limits_.header + 2) {
      return fail(431, fmt::format("the header has more than {} bytes", limits_.header));
    }
    if (!line) {
      has_begun_ = has_begun_ || !rest.empty();
      if (is_start) check_unfinished_start(rest);
      return false;
    }
    header_size_ = size;
    // Some clients send empty lines behind a body.
    if (is_start && line->empty()) {
      has_begun_ = false;
      continue;
    }
    has_begun_ = true;
    if (is_start) {
      if (!read_start_line(*line)) return false;
      phase_ = phase::header_line;
    } else if (line->empty()) {
      if (!finish_header()) return false;
      phase_ = phase::header_read;
    } else if (!read_field_line(*line)) {
      return false;
    }
  }
  return true;
}

// ---- fields

bool message_parser::split_field(std::string_view line, std::string_view& name, std::string_view& value) {
  std::size_t colon = 0;
  while (colon < line.size() && is(line[colon], character::token)) ++colon;
  if (colon == 0 || colon == line.size() || line[colon] != ':') {
    if (line.front() == ' ' || line.front() == '\t')
      return fail(400, "a header field begins with white space");
    return fail(400, "a header field does not begin with a name and a colon");
  }
  name = line.substr(0, colon);
  value = base::trimmed(line.substr(colon + 1));
  if (!all_are(value, character::field_value)) {
    return fail(400, fmt::format("the value of the header field {} has a control character", name));
  }
  return true;
}

bool message_parser::read_field_line(std::string_view line) {
  std::string_view name;
  std::string_view value;
  if (!split_field(line, name, value)) return false;
  if (fields_.size() == limits_.fields) {
    return fail(431, fmt::format("there are more than {} header fields", limits_.fields));
  }
  if (!read_field(name, value)) return false;
  fields_.append(name, value);
  return true;
}

bool message_parser::read_field(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 10:
      if (equal_names(name, "connection")) read_connection(value);
      return true;
    case 14:
      if (equal_names(name, "content-length")) return read_content_length(value);
      // Gateways that hand fields on as variables (CGI) take an underscore for a hyphen.
      if (equal_names(name, "content_length")) return fail(400, "a header field is named Content_Length");
      return true;
    case 17:
      if (equal_names(name, "transfer-encoding")) return read_transfer_encoding(value);
      if (equal_names(name, "transfer_encoding"))
        return fail(400, "a header field is named Transfer_Encoding");
      return true;
    default:
      return read_own_field(name, value);
  }
}

bool message_parser::read_content_length(std::string_view value) {
  if (content_length_) return fail(400, "the field Content-Length occurs twice");
  const bool is_number = !value.empty() && all_are(value, character::digit);
  if (!is_number) return fail(400, "the field Content-Length is not a number");
  // Zeros before it mean nothing (RFC 9110, 8.6), and so they do to proxies.
  value.remove_prefix(std::min(value.find_first_not_of('0'), value.size() - 1));
  if (value.size() > 18) return fail(400, "the field Content-Length is too large");
  std::uint64_t number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  content_length_ = number;
  return true;
}

// Several fields are one list (RFC 9110, 5.3). Which codings are allowed is decided when all are there.
bool message_parser::read_transfer_encoding(std::string_view value) {
  const char* const wrong = "the field Transfer-Encoding is not a list of codings";
  has_transfer_encoding_ = true;
  if (value.empty() || value.ends_with(',')) return fail(400, wrong);
  for (auto list = value; !list.empty();) {
    const auto coding = take_element(list);
    if (!all_are(coding, character::token) || coding.empty()) return fail(400, wrong);
    const bool is_chunked = equal_names(coding, "chunked");
    if (is_chunked) ++chunked_count_;
    has_unknown_coding_ = has_unknown_coding_ || !is_chunked;
    is_chunked_ = is_chunked && chunked_count_ == 1;
  }
  return true;
}

void message_parser::read_connection(std::string_view value) {
  while (!value.empty()) {
    const auto option = take_element(value);
    if (equal_names(option, "close")) says_close_ = true;
    if (equal_names(option, "keep-alive")) says_keep_alive_ = true;
    if (equal_names(option, "upgrade")) says_upgrade_ = true;
  }
}

// ---- the body

bool message_parser::check_body_limit(std::uint64_t more) {
  if (more <= limits_.body && received_ <= limits_.body - more) return true;
  return fail(413, fmt::format("the body has more than {} bytes", limits_.body));
}

bool message_parser::begin_body() {
  switch (body_) {
    case body_kind::none:
      phase_ = phase::over;
      break;
    case body_kind::chunked:
      phase_ = phase::chunk_header;
      break;
    case body_kind::until_close:
      phase_ = phase::data;
      break;
    case body_kind::sized:
      if (!check_body_limit(*content_length_)) return false;
      left_ = *content_length_;
      phase_ = left_ == 0 ? phase::over : phase::data;
  }
  return true;
}

parse_step message_parser::read_data(std::string_view bytes, std::size_t used) {
  const bool until_close = body_ == body_kind::until_close;
  const auto size =
      until_close ? bytes.size() : static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
  const bool counts = body_ != body_kind::chunked;  // a chunk was counted when it began
  const std::uint64_t more = !counts ? 0 : until_close ? size : left_;
  if (!check_body_limit(more)) return {parse_event::failed, used, {}};
  if (counts) received_ += size;
  if (!until_close) left_ -= size;
  if (!until_close && left_ == 0) phase_ = counts ? phase::over : phase::chunk_end;
  return {parse_event::body, used + size, bytes.substr(0, size)};
}

// "1a;name=value;other": the extensions mean nothing, but what is no extension may mean something to others.
bool message_parser::read_chunk_header(std::string_view line) {
  if (!read_chunk_size(line)) return false;
  while (!line.empty()) {
    const auto skip = [&](std::uint8_t kind) {
      std::size_t size = 0;
      while (size < line.size() && is(line[size], kind)) ++size;
      line.remove_prefix(size);
      return size > 0;
    };
    const auto skip_one = [&](char c) {
      const bool found = line.starts_with(c);
      if (found) line.remove_prefix(1);
      return found;
    };
    const char* const wrong = "a chunk's header has something after the size that is no extension";
    if (!skip_one(';') || !skip(character::token)) return fail(400, wrong);
    if (!skip_one('=') || skip(character::token)) continue;
    if (!skip_one('"')) return fail(400, wrong);
    while (!skip_one('"')) {
      const bool escaped = skip_one('\\');
      if (line.empty() || !is(line.front(), escaped ? character::field_value : character::quoted))
        return fail(400, wrong);
      line.remove_prefix(1);
    }
  }
  phase_ = left_ == 0 ? phase::trailer : phase::chunk_data;
  return true;
}

bool message_parser::read_chunk_size(std::string_view& line) {
  std::size_t digits = 0;
  while (digits < line.size() && is(line[digits], character::hex)) ++digits;
  if (digits == 0) return fail(400, "a chunk's size is not a hexadecimal number");
  if (digits > 15) return fail(400, "a chunk's size is too large");
  std::from_chars(line.data(), line.data() + digits, left_, 16);
  line.remove_prefix(digits);
  if (!check_body_limit(left_)) return false;
  received_ += left_;
  return true;
}

bool message_parser::read_trailer_line(std::string_view line) {
  std::string_view name;
  std::string_view value;
  trailer_size_ += line.size() + 2;
  if (trailer_size_ > limits_.trailer)
    return fail(431, fmt::format("the trailer has more than {} bytes", limits_.trailer));
  if (++trailer_count_ > limits_.fields)
    return fail(431, fmt::format("there are more than {} trailer fields", limits_.fields));
  return split_field(line, name, value);
}

// nullopt: more is needed, as `rest` begins; or it failed.
std::optional<parse_step> message_parser::read_chunks(std::string_view bytes) {
  auto rest = bytes;
  const auto used = [&] { return bytes.size() - rest.size(); };
  while (true) {
    if (phase_ == phase::chunk_data) {
      if (rest.empty()) return parse_step{parse_event::needs_more, used(), {}};
      return read_data(rest, used());
    }
    std::optional<std::string_view> line;
    if (phase_ == phase::chunk_header) {
      line = take_line(rest, limits_.chunk_header, 400, "a chunk's header");
      if (line) read_chunk_header(*line);
    } else if (phase_ == phase::chunk_end) {
      line = take_line(rest, 0, 400, "what follows a chunk");
      if (line) phase_ = phase::chunk_header;
    } else {
      line = take_line(rest, limits_.field, 431, "a trailer field");
      if (line && line->empty()) phase_ = phase::over;
      if (line && !line->empty()) read_trailer_line(*line);
    }
    if (phase_ == phase::failed) return parse_step{parse_event::failed, used(), {}};
    if (phase_ == phase::over) return parse_step{parse_event::end, used(), {}};
    if (!line) return parse_step{parse_event::needs_more, used(), {}};
  }
}

parse_step message_parser::feed(std::string_view bytes) {
  if (phase_ == phase::start_line || phase_ == phase::header_line) {
    auto rest = bytes;
    const bool whole = read_header(rest);
    const auto event = whole                     ? parse_event::header
                       : phase_ == phase::failed ? parse_event::failed
                                                 : parse_event::needs_more;
    return {event, bytes.size() - rest.size(), {}};
  }
  if (phase_ == phase::header_read && !begin_body()) return {parse_event::failed, 0, {}};
  switch (phase_) {
    case phase::failed:
      return {parse_event::failed, 0, {}};
    case phase::over:
      return {parse_event::end, 0, {}};
    case phase::data:
      if (bytes.empty())
        return check_body_limit(body_ == body_kind::sized ? left_ : 0)
                   ? parse_step{}
                   : parse_step{parse_event::failed, 0, {}};
      return read_data(bytes, 0);
    default:
      return *read_chunks(bytes);
  }
}

parse_step message_parser::feed_end() {
  if (phase_ == phase::header_read && !begin_body()) return {parse_event::failed, 0, {}};
  if (phase_ == phase::data && body_ == body_kind::until_close) phase_ = phase::over;
  if (phase_ == phase::over) return {parse_event::end, 0, {}};
  if (phase_ == phase::start_line && !has_begun_) return {};
  if (phase_ != phase::failed) fail(400, "the connection was closed within a message");
  return {parse_event::failed, 0, {}};
}

}  // namespace quarq::http
