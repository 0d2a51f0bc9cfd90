#include "http/client/cookies.hpp"

#include <algorithm>
#include <charconv>

#include <libpsl.h>

#include "base/text.hpp"
#include "http/client/dates.hpp"
#include "http/message/characters.hpp"

namespace quarq::http {

namespace {

constexpr std::size_t max_name_and_value = 4096;
constexpr std::size_t max_attribute = 1024;
constexpr std::chrono::seconds max_life = std::chrono::hours(24 * 400);

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

bool starts_ignoring_case(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && equal_names(text.substr(0, with.size()), with);
}

std::optional<std::chrono::seconds> max_age_of(std::string_view value) {
  const bool negative = value.starts_with('-');
  const auto digits = value.substr(negative ? 1 : 0);
  const bool all_digits = !digits.empty() && std::all_of(digits.begin(), digits.end(),
                                                         [](char c) { return c >= '0' && c <= '9'; });
  if (!all_digits) return std::nullopt;
  if (negative) return std::chrono::seconds(0);
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failure != std::errc() || number > max_life.count()) return max_life;
  return std::chrono::seconds(number);
}

void set_attribute(set_cookie& cookie, std::string_view name, std::string_view value) {
  if (value.size() > max_attribute) return;
  if (equal_names(name, "expires")) {
    if (const auto when = parse_date(value)) cookie.expires = when;
  } else if (equal_names(name, "max-age")) {
    if (const auto age = max_age_of(value)) cookie.max_age = age;
  } else if (equal_names(name, "domain")) {
    if (value.starts_with('.')) value.remove_prefix(1);
    cookie.domain = value;
    std::transform(cookie.domain.begin(), cookie.domain.end(), cookie.domain.begin(), lower);
  } else if (equal_names(name, "path")) {
    cookie.path = value.starts_with('/') ? value : std::string_view();
  } else if (equal_names(name, "secure")) {
    cookie.secure = true;
  }
}

bool domain_matches(const std::string& host, const std::string& domain) {
  if (host == domain) return true;
  return host.size() > domain.size() && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.' && !is_ip_address(host);
}

std::string path_of(const url& of) {
  return of.target.substr(0, of.target.find('?'));
}

std::string default_path(const url& from) {
  const auto path = path_of(from);
  const auto last = path.rfind('/');
  return last == 0 || last == path.npos ? "/" : path.substr(0, last);
}

bool path_matches(const std::string& path, const std::string& of_cookie) {
  if (!path.starts_with(of_cookie)) return false;
  return path.size() == of_cookie.size() || of_cookie.ends_with('/') || path[of_cookie.size()] == '/';
}

// Their names promise how they were set (RFC 6265bis, 4.1.3).
bool keeps_its_promise(const set_cookie& what, const url& from, bool host_only, const std::string& path) {
  const bool is_secure = what.secure && from.tls;
  if (starts_ignoring_case(what.name, "__Host-")) return is_secure && host_only && path == "/";
  if (starts_ignoring_case(what.name, "__Secure-")) return is_secure;
  return true;
}

}  // namespace

std::optional<set_cookie> parse_set_cookie(std::string_view field) {
  if (has_control(field)) return std::nullopt;
  set_cookie cookie;
  const auto pair = field.substr(0, field.find(';'));
  const auto equals = pair.find('=');
  // Of one without a name, what is sent back could be taken for another: "=a=b".
  if (equals == pair.npos) return std::nullopt;
  cookie.name = base::trimmed(pair.substr(0, equals));
  cookie.value = base::trimmed(pair.substr(equals + 1));
  if (cookie.name.empty()) return std::nullopt;
  if (cookie.name.size() + cookie.value.size() > max_name_and_value) return std::nullopt;
  field.remove_prefix(pair.size());
  while (!field.empty()) {
    field.remove_prefix(1);
    const auto attribute = field.substr(0, field.find(';'));
    field.remove_prefix(attribute.size());
    const auto sign = std::min(attribute.find('='), attribute.size());
    set_attribute(cookie, base::trimmed(attribute.substr(0, sign)),
                  base::trimmed(attribute.substr(std::min(sign + 1, attribute.size()))));
  }
  return cookie;
}

bool is_public_suffix(const std::string& domain) {
  return ::psl_is_public_suffix(::psl_builtin(), domain.c_str()) == 1;
}

// Fills in where the cookie belongs; returns false if it may not be set from there.
bool cookie_jar::accepts(const url& from, const set_cookie& what, cookie& made) {
  auto domain = what.domain;
  if (!domain.empty() && is_public_suffix(domain)) {
    if (domain != from.host) return false;
    domain.clear();
  }
  if (!domain.empty() && !domain_matches(from.host, domain)) return false;
  made.name = what.name;
  made.value = what.value;
  made.host_only = domain.empty();
  made.domain = domain.empty() ? from.host : domain;
  made.path = what.path.empty() ? default_path(from) : what.path;
  made.secure = what.secure;
  if (what.secure && !from.tls) return false;
  return keeps_its_promise(what, from, made.host_only, made.path);
}

// RFC 6265bis, 5.7, 15: who listens on the way must not put one before a secure cookie.
bool cookie_jar::hides_a_secure_one(const url& from, const cookie& made) const {
  if (from.tls) return false;
  return std::any_of(cookies_.begin(), cookies_.end(), [&](const cookie& one) {
    return one.secure && one.name == made.name && path_matches(made.path, one.path) &&
           (domain_matches(one.domain, made.domain) || domain_matches(made.domain, one.domain));
  });
}

void cookie_jar::store(const url& from, std::string_view field, time_point now) {
  const auto what = parse_set_cookie(field);
  cookie made;
  if (!what || !accepts(from, *what, made) || hides_a_secure_one(from, made)) return;
  if (what->max_age)
    made.expires = now + *what->max_age;
  else if (what->expires)
    made.expires = std::min(on_system_clock(*what->expires), now + max_life);
  made.created = made.used = ++clock_;
  const auto same = std::find_if(cookies_.begin(), cookies_.end(), [&](const cookie& one) {
    return one.name == made.name && one.domain == made.domain && one.path == made.path &&
           one.host_only == made.host_only;
  });
  if (same != cookies_.end()) {
    made.created = same->created;
    cookies_.erase(same);
  }
  if (made.expires && *made.expires <= now) return;
  const auto domain = made.domain;
  cookies_.push_back(std::move(made));
  make_room(domain, now);
}

void cookie_jar::make_room(const std::string& domain, time_point now) {
  const auto of_domain = [&](const cookie& one) { return one.domain == domain; };
  const auto longer_unused = [](const cookie& a, const cookie& b) { return a.used < b.used; };
  std::erase_if(cookies_, [now](const cookie& one) { return one.expires && *one.expires <= now; });
  if (static_cast<std::size_t>(std::count_if(cookies_.begin(), cookies_.end(), of_domain)) >
      max_cookies_per_domain) {
    auto oldest = cookies_.end();
    for (auto one = cookies_.begin(); one != cookies_.end(); ++one)
      if (of_domain(*one) && (oldest == cookies_.end() || longer_unused(*one, *oldest))) oldest = one;
    cookies_.erase(oldest);
  }
  if (cookies_.size() > max_cookies)
    cookies_.erase(std::min_element(cookies_.begin(), cookies_.end(), longer_unused));
}

std::string cookie_jar::header_for(const url& to, time_point now) {
  const auto path = path_of(to);
  std::vector<cookie*> sent;
  for (auto& one : cookies_) {
    const bool right_host = one.host_only ? one.domain == to.host : domain_matches(to.host, one.domain);
    const bool is_expired = one.expires && *one.expires <= now;
    if (right_host && !is_expired && path_matches(path, one.path) && (!one.secure || to.tls))
      sent.push_back(&one);
  }
  // Longer paths first, then older cookies.
  std::sort(sent.begin(), sent.end(), [](const cookie* a, const cookie* b) {
    if (a->path.size() != b->path.size()) return a->path.size() > b->path.size();
    return a->created < b->created;
  });
  std::string field;
  for (auto* const one : sent) {
    one->used = ++clock_;
    if (!field.empty()) field += "; ";
    field += one->name + "=" + one->value;
  }
  return field;
}

}  // namespace quarq::http
