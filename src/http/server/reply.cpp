#include "http/server/reply.hpp"

#include <array>
#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "http/message/characters.hpp"
#include "http/message/writer.hpp"

namespace quarq::http {

namespace {

bool is_ours(std::string_view name) {
  switch (name.size()) {
    case 4:
      return equal_names(name, "date");
    case 10:
      return equal_names(name, "connection") || equal_names(name, "keep-alive");
    case 14:
      return equal_names(name, "content-length");
    case 17:
      return equal_names(name, "transfer-encoding");
    default:
      return false;
  }
}

bool says_close(const response& r) {
  auto options = r.headers["Connection"];
  while (!options.empty()) {
    if (equal_names(take_element(options), "close")) return true;
  }
  return false;
}

std::optional<std::uint64_t> said_length(const response& r) {
  const auto text = r.headers.find("Content-Length");
  if (!text) return std::nullopt;
  std::uint64_t length = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (failure != std::errc() || end != text->data() + text->size()) {
    throw usage_error("a response's Content-Length is not a number");
  }
  return length;
}

void append_length(std::string& out, std::uint64_t length) {
  std::array<char, 20> digits;
  out += "Content-Length: ";
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr);
  out += "\r\n";
}

reply_plan plan_body(const response& r, const reply_facts& facts) {
  reply_plan plan;
  plan.keep_alive = facts.keep_alive && !says_close(r);
  if (r.status == 204 || r.status == 304) return plan;
  if (!r.write_body) {
    const auto said = facts.is_head && r.body.empty() ? said_length(r) : std::nullopt;
    plan.framing = body_framing::sized;
    plan.length = said.value_or(r.body.size());
  } else if (const auto said = said_length(r)) {
    plan.framing = body_framing::sized;
    plan.length = *said;
  } else if (facts.minor_version > 0) {
    plan.framing = body_framing::chunked;
  } else {
    plan.framing = body_framing::until_close;
    plan.keep_alive = false;
  }
  return plan;
}

}  // namespace

reply_plan append_reply_header(std::string& out, const response& r, const reply_facts& facts) {
  if (r.status < 200) throw usage_error(fmt::format("a handler's status must not be {}", r.status));
  auto plan = plan_body(r, facts);
  append_status_line(out, r.status, r.reason);
  for (const auto& f : r.headers) {
    if (!is_ours(f.name)) append_field(out, f);
  }
  out += facts.date;
  if (plan.framing == body_framing::sized) append_length(out, plan.length);
  if (plan.framing == body_framing::chunked) out += "Transfer-Encoding: chunked\r\n";
  if (!plan.keep_alive) {
    out += "Connection: close\r\n";
  } else if (facts.minor_version == 0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  if (facts.is_head) plan.framing = body_framing::none;
  return plan;
}

namespace {

constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

std::string http_date(std::int64_t seconds_since_1970) {
  const std::time_t time = seconds_since_1970;
  std::tm t{};
  gmtime_r(&time, &t);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[static_cast<std::size_t>(t.tm_wday)],
                     t.tm_mday, months[static_cast<std::size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour,
                     t.tm_min, t.tm_sec);
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = -1;
    const auto part = text.substr(at, size);
    if (all_are(part, character::digit)) std::from_chars(part.data(), part.data() + part.size(), value);
    return value;
  };
  if (text.size() != 29) return std::nullopt;
  std::tm t{};
  t.tm_mon = -1;
  for (std::size_t i = 0; i < months.size(); ++i) {
    if (text.substr(8, 3) == months[i]) t.tm_mon = static_cast<int>(i);
  }
  t.tm_mday = number(5, 2);
  t.tm_year = number(12, 4) - 1900;
  t.tm_hour = number(17, 2);
  t.tm_min = number(20, 2);
  t.tm_sec = number(23, 2);
  if (t.tm_mon < 0) return std::nullopt;
  const auto time = static_cast<std::int64_t>(timegm(&t));
  // Whatever else was wrong does not come back.
  if (http_date(time) != text) return std::nullopt;
  return time;
}

std::string_view date_line::now() {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &t);
  return at(t.tv_sec);
}

std::string_view date_line::at(std::int64_t second) {
  if (second != second_) {
    second_ = second;
    line_ = "Date: " + http_date(second) + "\r\n";
  }
  return line_;
}

}  // namespace quarq::http
