#include "http/client/url.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "codecs/hex.hpp"
#include "codecs/utf8.hpp"
#include "http/message/characters.hpp"

namespace quarq::http {

namespace {

constexpr std::size_t max_url = 8000;  // with the method and the version it must fit into a start line

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Passwords are not part of it.
[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  std::string shown(text);
  const auto authority = shown.find("://");
  const auto end = shown.find_first_of("/?#", authority == shown.npos ? 0 : authority + 3);
  const auto at = shown.rfind('@', end);
  if (authority != shown.npos && at != shown.npos && at > authority)
    shown.replace(authority + 3, at - authority - 3, "***");
  throw usage_error(fmt::format("URL \"{}\": {}", codecs::printable(shown, 200), why));
}

// What programs and servers write in paths and queries although RFC 3986 does not allow it, as browsers send it.
std::string escaped(std::string_view text) {
  constexpr std::string_view unsafe = " \"<>\\^`{|}[]";
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_stray_percent = c == '%' && !codecs::byte_in_hex(text.substr(i + 1));
    if (static_cast<unsigned char>(c) >= 0x80 || unsafe.find(c) != unsafe.npos || is_stray_percent)
      append_percent(out, c);
    else
      out += c;
  }
  return out;
}

// The text with its part behind the authority escaped; that is the whole of a relative reference.
std::string with_escaped_path(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), is_control)) refuse(text, "it has a control character");
  if (text.size() > max_url) refuse(text, fmt::format("it is longer than {} bytes", max_url));
  std::size_t authority = 0;
  const auto slashes = text.find("//");
  const auto delimiter = text.find_first_of("/?#");
  if (slashes != text.npos && slashes == delimiter) authority = slashes + 2;
  const auto path = authority == 0 ? 0 : std::min(text.find_first_of("/?#\\", authority), text.size());
  return std::string(text.substr(0, path)) + escaped(text.substr(path));
}

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  const bool has_empty_label = host.front() == '.' || host.back() == '.' || host.find("..") != host.npos;
  if (has_empty_label) return false;
  return std::all_of(host.begin(), host.end(), [](char c) { return (is_unreserved(c) && c != '~'); });
}

std::uint16_t port_of(boost::urls::url_view from, bool tls, std::string_view text) {
  if (!from.has_port() || from.port().empty()) return tls ? 443 : 80;
  const std::string digits(from.port());
  unsigned value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc() || end != digits.data() + digits.size() || value == 0 || value > 65535)
    refuse(text, fmt::format("the port \"{}\" is not between 1 and 65535", digits));
  return static_cast<std::uint16_t>(value);
}

std::string host_of(boost::urls::url_view from, std::string_view text) {
  std::string host(from.encoded_host());
  if (host.empty()) refuse(text, "it has no host");
  std::transform(host.begin(), host.end(), host.begin(), lower);
  if (host.front() == '[') {
    host = host.substr(1, host.size() - 2);
    if (!is_ip_address(host)) refuse(text, fmt::format("\"{}\" is not an IPv6 address", host));
    return host;
  }
  if (host.find('%') != host.npos) refuse(text, "the host is percent-encoded");
  if (host.back() == '.' && host.size() > 1) host.pop_back();
  if (!is_host_name(host)) refuse(text, fmt::format("\"{}\" is not a host name", host));
  return host;
}

// RFC 3986, 5.2.4, for a path that begins with a slash. Boost.URL keeps ".." that lead above the root.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto end = std::min(path.find('/', 1), path.size());
    const auto segment = path.substr(0, end);
    path.remove_prefix(end);
    if (segment == "/..") out.erase(std::min(out.rfind('/'), out.size()));
    if (segment != "/." && segment != "/..")
      out += segment;
    else if (path.empty())
      out += '/';
  }
  return out;
}

std::uint16_t plain_port(std::string_view digits) {
  const bool has_form =
      !digits.empty() && digits.size() <= 5 && digits.front() != '0' && all_are(digits, character::digit);
  unsigned value = 0;
  if (has_form) std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value <= 65535 ? static_cast<std::uint16_t>(value) : std::uint16_t{0};
}

bool is_plain_host(std::string_view host) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || is(c, character::digit) || c == '.' || c == '-';
  };
  return std::all_of(host.begin(), host.end(), is_plain) && is_host_name(host);
}

constexpr auto plain_in_targets = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("-._~/?=&:@!$'()*,;+")) table[static_cast<unsigned char>(c)] = true;
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  return table;
}();

// Nothing to escape or to resolve: no percent, no segment that begins with a dot, no fragment.
bool is_plain_target(std::string_view target) {
  const auto is_plain = [](char c) { return plain_in_targets[static_cast<unsigned char>(c)]; };
  return std::all_of(target.begin(), target.end(), is_plain) && target.find("/.") == target.npos;
}

// Most URLs of programs mean what they say, byte for byte. Those are read without copies; nullopt: it takes more.
std::optional<url> plain_url(std::string_view text) {
  if (text.size() > max_url) return std::nullopt;
  url result;
  result.tls = text.starts_with("https://");
  if (!result.tls && !text.starts_with("http://")) return std::nullopt;
  text.remove_prefix(result.tls ? 8 : 7);
  const auto path = std::min(text.find('/'), text.size());
  const auto authority = text.substr(0, path);
  const auto target = text.substr(path);
  const auto colon = std::min(authority.find(':'), authority.size());
  result.port = result.tls ? 443 : 80;
  if (colon != authority.size()) result.port = plain_port(authority.substr(colon + 1));
  if (result.port == 0 || !is_plain_host(authority.substr(0, colon)) || !is_plain_target(target))
    return std::nullopt;
  result.host = authority.substr(0, colon);
  if (!target.empty()) result.target = target;
  return result;
}

url from_parsed(boost::urls::url_view from, std::string_view text) {
  std::string scheme(from.scheme());
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), lower);
  if (scheme != "http" && scheme != "https")
    refuse(text, fmt::format("the scheme is \"{}\", expected http or https", scheme));
  url result;
  result.tls = scheme == "https";
  result.host = host_of(from, text);
  result.port = port_of(from, result.tls, text);
  result.user = from.user();
  result.password = from.password();
  const std::string path(from.encoded_path());
  result.target = without_dot_segments(path.starts_with('/') ? path : "/" + path);
  if (from.has_query()) result.target += "?" + std::string(from.encoded_query());
  return result;
}

}  // namespace

void url::append_host_field(std::string& out) const {
  const bool is_v6 = host.find(':') != host.npos;
  if (is_v6) out += '[';
  out += host;
  if (is_v6) out += ']';
  if (has_default_port()) return;
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, port).ptr;
  out += ':';
  out.append(digits, end);
}

std::string url::host_field() const {
  std::string text;
  append_host_field(text);
  return text;
}

std::string url::authority() const {
  return (host.find(':') == host.npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

std::string url::origin() const {
  std::string text;
  text.reserve(host.size() + 16);
  text.append(scheme()).append("://");
  append_host_field(text);
  return text;
}

std::string url::text() const {
  return origin() + target;
}

url parse_url(std::string_view text) {
  if (auto plain = plain_url(text)) return std::move(*plain);
  const auto scheme_end = text.find("://");
  if (scheme_end == text.npos || scheme_end == 0)
    refuse(text, "it has no scheme, expected \"http://...\" or \"https://...\"");
  const auto authority =
      text.substr(scheme_end + 3, text.find_first_of("/?#", scheme_end + 3) - scheme_end - 3);
  const auto beyond_ascii = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  if (std::any_of(authority.begin(), authority.end(), beyond_ascii))
    refuse(text, "the host has characters beyond ASCII: write its international name in the form xn--...");
  const auto ready = with_escaped_path(text);
  const auto parsed = boost::urls::parse_uri(ready);
  if (!parsed) refuse(text, "it is not a URL (RFC 3986): " + parsed.error().message());
  return from_parsed(*parsed, text);
}

url resolve_url(const url& base, std::string_view reference) {
  const auto ready = with_escaped_path(reference);
  const auto parsed = boost::urls::parse_uri_reference(ready);
  if (!parsed) refuse(reference, "it is not a URL (RFC 3986): " + parsed.error().message());
  const auto base_text = base.text();
  const auto page = boost::urls::parse_uri(base_text);
  if (!page) refuse(base_text, "it is not a URL (RFC 3986): " + page.error().message());
  boost::urls::url whole;
  const auto resolved = boost::urls::resolve(*page, *parsed, whole);
  if (!resolved) refuse(reference, "it can't be resolved: " + resolved.error().message());
  auto result = from_parsed(whole, reference);
  if (result.user.empty() && result.password.empty() && result.origin() == base.origin()) {
    result.user = base.user;
    result.password = base.password;
  }
  return result;
}

bool is_ip_address(std::string_view host) {
  boost::system::error_code ec;
  boost::asio::ip::make_address(std::string(host), ec);
  return !ec;
}

void append_percent(std::string& out, char c) {
  fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c))
      out += c;
    else
      append_percent(out, c);
  }
  return out;
}

}  // namespace quarq::http
