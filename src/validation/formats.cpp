#include "validation/formats.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "codecs/hex.hpp"

namespace quarq::validation {

namespace {

constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Takes what it reads from the front.
class scanner {
 public:
  explicit scanner(std::string_view text) noexcept : rest_(text) {}

  bool at_end() const noexcept { return rest_.empty(); }
  char peek() const noexcept { return rest_.empty() ? '\0' : rest_[0]; }
  bool take(char c) noexcept {
    if (peek() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Exactly so many digits; -1: there are fewer.
  int number(std::size_t digits) noexcept {
    if (rest_.size() < digits) return -1;
    int value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (!is_digit(c)) return -1;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  std::size_t skip_digits() noexcept {
    const std::size_t count =
        static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_digit) - rest_.begin());
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
};

bool is_day(int year, int month, int day) noexcept {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool take_date(scanner& in) noexcept {
  const int year = in.number(4);
  if (year < 0 || !in.take('-')) return false;
  const int month = in.number(2);
  if (month < 0 || !in.take('-')) return false;
  return is_day(year, month, in.number(2));
}

bool take_zone(scanner& in) noexcept {
  if (in.take('Z') || in.take('z')) return true;
  if (!in.take('+') && !in.take('-')) return false;
  const int hours = in.number(2);
  if (hours < 0 || hours > 23 || !in.take(':')) return false;
  const int minutes = in.number(2);
  return minutes >= 0 && minutes <= 59;
}

bool take_time(scanner& in) noexcept {
  const int hours = in.number(2);
  if (hours < 0 || hours > 23 || !in.take(':')) return false;
  const int minutes = in.number(2);
  if (minutes < 0 || minutes > 59 || !in.take(':')) return false;
  const int seconds = in.number(2);
  if (seconds < 0 || seconds > 59) return false;
  if (in.take('.') && in.skip_digits() == 0) return false;
  return take_zone(in);
}

bool is_label(std::string_view label) noexcept {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
}

/// Calls `each` for each part between separators; false as soon as it says so.
template <class Function>
bool all_parts(std::string_view text, char separator, Function each) {
  for (;;) {
    const std::size_t end = text.find(separator);
    if (!each(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

/// How many groups of 16 bits; -1: something else. `ends`: an IPv4 address may be the last of them.
int count_groups(std::string_view text, bool ends) noexcept {
  if (text.empty()) return 0;
  int count = 0;
  const bool well_formed = all_parts(text, ':', [&](std::string_view group) {
    const bool is_last = group.data() + group.size() == text.data() + text.size();
    if (ends && is_last && group.find('.') != std::string_view::npos) {
      count += 2;
      return is_ipv4(group);
    }
    ++count;
    return !group.empty() && group.size() <= 4 &&
           std::all_of(group.begin(), group.end(), codecs::is_hex_digit);
  });
  return well_formed ? count : -1;
}

}  // namespace

bool is_hostname(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 253 && all_parts(text, '.', is_label);
}

bool is_email(std::string_view text) noexcept {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64) return false;
  constexpr std::string_view special = "!#$%&'*+/=?^_`{|}~-";
  const bool local_is_right = all_parts(text.substr(0, at), '.', [&](std::string_view atom) {
    return !atom.empty() && std::all_of(atom.begin(), atom.end(), [&](char c) {
      return is_letter(c) || is_digit(c) || special.find(c) != std::string_view::npos;
    });
  });
  const std::string_view domain = text.substr(at + 1);
  return local_is_right && domain.find('.') != std::string_view::npos && is_hostname(domain);
}

bool is_url(std::string_view text) noexcept {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0 || !is_letter(text[0])) return false;
  const std::string_view scheme = text.substr(0, colon);
  if (!std::all_of(scheme.begin(), scheme.end(),
                   [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; }))
    return false;
  const std::string_view rest = text.substr(colon + 3);
  std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  authority.remove_prefix(authority.rfind('@') + 1);
  if (authority.empty() || authority[0] == ':') return false;
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code <= 0x20 || code >= 0x7f || std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos;
  });
}

bool is_uuid(std::string_view text) noexcept {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_hyphen ? text[i] != '-' : !codecs::is_hex_digit(text[i])) return false;
  }
  return true;
}

bool is_date(std::string_view text) noexcept {
  scanner in(text);
  return take_date(in) && in.at_end();
}

bool is_time(std::string_view text) noexcept {
  scanner in(text);
  return take_time(in) && in.at_end();
}

bool is_date_time(std::string_view text) noexcept {
  scanner in(text);
  if (!take_date(in)) return false;
  if (!in.take('T') && !in.take('t') && !in.take(' ')) return false;
  return take_time(in) && in.at_end();
}

bool is_ipv4(std::string_view text) noexcept {
  int count = 0;
  const bool numbers = all_parts(text, '.', [&](std::string_view part) {
    ++count;
    if (part.empty() || part.size() > 3 || (part.size() > 1 && part[0] == '0')) return false;
    scanner in(part);
    const int value = in.number(part.size());
    return value >= 0 && value <= 255;
  });
  return numbers && count == 4;
}

bool is_ipv6(std::string_view text) noexcept {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return count_groups(text, true) == 8;
  const std::string_view after = text.substr(gap + 2);
  const int before_gap = count_groups(text.substr(0, gap), false);
  const int after_gap = count_groups(after, true);
  return before_gap >= 0 && after_gap >= 0 && before_gap + after_gap <= 7;
}

namespace {

struct format_row {
  bool (*holds)(std::string_view text) noexcept;
  error_kind kind;
  std::string_view name;
};

const format_row& row_of(text_format which) noexcept {
  // In the order of text_format.
  static constexpr format_row rows[] = {
      {[](std::string_view) noexcept { return true; }, error_kind::string_type, ""},
      {is_email, error_kind::email_parsing, "email"},
      {is_url, error_kind::url_parsing, "uri"},
      {is_uuid, error_kind::uuid_parsing, "uuid"},
      {is_date_time, error_kind::datetime_parsing, "date-time"},
      {is_date, error_kind::date_parsing, "date"},
      {is_time, error_kind::time_parsing, "time"},
      {is_ipv4, error_kind::ip_v4_address, "ipv4"},
      {is_ipv6, error_kind::ip_v6_address, "ipv6"},
      {is_hostname, error_kind::hostname_parsing, "hostname"},
  };
  return rows[static_cast<std::size_t>(which)];
}

}  // namespace

bool has_format(text_format which, std::string_view text) noexcept {
  return row_of(which).holds(text);
}

error_kind kind_of(text_format which) noexcept {
  return row_of(which).kind;
}

std::string_view name_of(text_format which) noexcept {
  return row_of(which).name;
}

}  // namespace quarq::validation
