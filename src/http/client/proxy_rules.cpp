#include "http/client/proxy_rules.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "http/message/characters.hpp"

namespace quarq::http {

namespace {

namespace ip = boost::asio::ip;

std::optional<ip::address> address_of(std::string_view text) {
  boost::system::error_code ec;
  auto address = ip::make_address(std::string(text), ec);
  if (ec) return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

template <class Number>
bool read_number(std::string_view text, Number max, Number& value) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() && value <= max;
}

template <class Bytes>
bool same_prefix(const Bytes& a, const Bytes& b, int bits) {
  for (std::size_t i = 0; i < a.size() && bits > 0; ++i, bits -= 8) {
    const int mask = bits >= 8 ? 0xff : 0xff << (8 - bits) & 0xff;
    if ((a[i] & mask) != (b[i] & mask)) return false;
  }
  return true;
}

bool same_network(const ip::address& a, const ip::address& b, int bits) {
  if (a.is_v4() != b.is_v4()) return false;
  return a.is_v4() ? same_prefix(a.to_v4().to_bytes(), b.to_v4().to_bytes(), bits)
                   : same_prefix(a.to_v6().to_bytes(), b.to_v6().to_bytes(), bits);
}

bool is_loopback(std::string_view host) {
  if (host == "localhost") return true;
  const auto address = address_of(host);
  return address && address->is_loopback();
}

std::string in_lower_case(std::string_view text) {
  std::string result(text);
  for (auto& c : result) c = lower(c);
  return result;
}

// "proxy:3128" is as good as "http://proxy:3128".
url proxy_url(std::string_view text, std::string_view from) {
  const bool has_scheme = text.find("://") != text.npos;
  url result;
  try {
    result = parse_url(has_scheme ? std::string(text) : "http://" + std::string(text));
  } catch (const usage_error& e) {
    throw usage_error(fmt::format("{}: {}", from, e.what()));
  }
  if (result.tls || result.target != "/")
    throw usage_error(fmt::format("{}: the proxy must be http://HOST:PORT, got \"{}\"", from, result.text()));
  return result;
}

}  // namespace

// ---- no_proxy_list

no_proxy_list::no_proxy_list(std::string_view text) {
  constexpr std::string_view separators = ", \t\r\n";
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    const auto one = in_lower_case(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one == "*") all_ = true;
    if (auto known = read(one)) entries_.push_back(std::move(*known));
  }
}

std::optional<no_proxy_list::entry> no_proxy_list::read(std::string_view text) {
  entry one;
  if (const auto slash = text.find('/'); slash != text.npos) {
    const auto address = address_of(text.substr(0, slash));
    if (!address || !read_number(text.substr(slash + 1), address->is_v4() ? 32 : 128, one.prefix) ||
        one.prefix < 0)
      return std::nullopt;
    one.address = *address;
    return one;
  }
  // Of "::1" no colon begins a port: an IPv6 address with one has brackets.
  const auto colon = text.rfind(':');
  const bool is_bare_v6 = text.find(':') != colon && (text.empty() || text.front() != '[');
  const bool has_port = colon != text.npos && !is_bare_v6 && (text.back() != ']');
  if (has_port) {
    if (!read_number<std::uint16_t>(text.substr(colon + 1), 65535, one.port) || one.port == 0)
      return std::nullopt;
    text = text.substr(0, colon);
  }
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  if (const auto address = address_of(text)) {
    one.address = *address;
    one.prefix = address->is_v4() ? 32 : 128;
    return one;
  }
  if (text.starts_with("*.")) text.remove_prefix(1);
  while (text.starts_with('.')) text.remove_prefix(1);
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text == "*") return std::nullopt;
  one.domain = text;
  return one;
}

bool no_proxy_list::matches(const entry& one, std::string_view host,
                            const std::optional<ip::address>& address) {
  if (one.domain.empty()) return address && same_network(one.address, *address, one.prefix);
  if (address) return false;
  if (!host.ends_with(one.domain)) return false;
  return host.size() == one.domain.size() || host[host.size() - one.domain.size() - 1] == '.';
}

bool no_proxy_list::matches(std::string_view host, std::uint16_t port) const {
  if (all_) return true;
  const auto address = address_of(host);
  return std::any_of(entries_.begin(), entries_.end(), [&](const entry& one) {
    return (one.port == 0 || one.port == port) && matches(one, host, address);
  });
}

// ---- proxy_rules

proxy_rules::proxy_rules(std::string_view proxy) : also_loopback_(true) {
  http_ = https_ = proxy_url(proxy, "proxy");
}

proxy_rules proxy_rules::from_environment(const std::function<const char*(const char*)>& get) {
  const auto read = [&get](const char* in_lower, const char* in_upper) -> std::optional<url> {
    for (const char* name : {in_lower, in_upper}) {
      const char* const text = name != nullptr ? get(name) : nullptr;
      if (text != nullptr && *text != '\0') return proxy_url(text, name);
    }
    return std::nullopt;
  };
  const bool in_cgi = get("REQUEST_METHOD") != nullptr;
  const auto all = read("all_proxy", "ALL_PROXY");
  proxy_rules rules;
  rules.http_ = read("http_proxy", in_cgi ? nullptr : "HTTP_PROXY");
  rules.https_ = read("https_proxy", "HTTPS_PROXY");
  if (!rules.http_) rules.http_ = all;
  if (!rules.https_) rules.https_ = all;
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    const char* const text = get(name);
    if (text == nullptr || *text == '\0') continue;
    rules.except_ = no_proxy_list(text);
    break;
  }
  return rules;
}

std::optional<url> proxy_rules::proxy_for(const url& target) const {
  const auto& proxy = target.tls ? https_ : http_;
  if (!proxy) return std::nullopt;
  if (!also_loopback_ && is_loopback(target.host)) return std::nullopt;
  if (except_.matches(target.host, target.port)) return std::nullopt;
  return proxy;
}

}  // namespace quarq::http
