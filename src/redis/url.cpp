#include "redis/url.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <string>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <quarq/errors.hpp>

namespace quarq::redis {

namespace {

// A password with an & in it should have been percent-encoded; it ends where another parameter begins, at a
// name followed by =.
std::string without_password_parameter(std::string_view url) {
  constexpr std::string_view name = "password=";
  const auto at = url.find(name);
  if (at == url.npos) return std::string(url);
  const auto begins_another = [&](std::size_t ampersand) {
    const auto equals = url.find('=', ampersand);
    return equals != url.npos && equals > ampersand + 1 &&
           url.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", ampersand + 1) == equals;
  };
  auto end = url.find('&', at);
  while (end != url.npos && !begins_another(end)) end = url.find('&', end + 1);
  const auto rest = end == url.npos ? std::string_view() : url.substr(end);
  return std::string(url.substr(0, at)) + std::string(name) + "***" + without_password_parameter(rest);
}

}  // namespace

// Passwords often hold characters that should have been percent-encoded, so the last @ is taken as the end. A name
// without a password is mostly a password whose colon was forgotten.
std::string without_password(std::string_view whole) {
  const auto url = without_password_parameter(whole);
  const auto slashes = url.find("://");
  const auto at = url.rfind('@');
  if (slashes == url.npos || at == url.npos || at < slashes) return url;
  const auto first = slashes + 3;
  if (url[first] == '/') return url;  // there is no host, but a path
  const auto colon = url.find(':', first);
  const auto hidden = colon == url.npos || colon > at ? first : colon + 1;
  return url.substr(0, hidden) + "***" + url.substr(at);
}

namespace {

constexpr std::size_t max_unix_path = 107;  // what a sockaddr_un holds
constexpr double max_timeout = 1e6;         // seconds
constexpr int max_database = 1'000'000;
constexpr std::string_view sentinel_port = "26379";

// Of a host; an IPv6 address stands in brackets.
std::string port_of(std::string_view host) {
  const auto colon = host.rfind(':');
  const bool has_one = colon != host.npos && host.find(']', colon) == host.npos;
  return std::string(has_one ? host.substr(colon + 1) : std::string_view());
}

class reader {
 public:
  reader(std::string_view text, const url_dialect& dialect) : text_(text), dialect_(dialect) {}

  connection_options read() {
    take_hosts_out();
    parse(plain_text_);
    read_scheme();
    read_credentials();
    if (unix_) {
      read_unix_path();
    } else if (sentinel_) {
      read_sentinels();
      read_database_path();
    } else {
      options_.host = url_.host_address().empty() ? options_.host : std::string(url_.host_address());
      read_port(options_.port);
      read_database_path();
    }
    read_query();
    if (url_.has_fragment()) fail("it has a fragment (what follows #)");
    return options_;
  }

 private:
  // A URL has one host: a list of sentinels is taken out, which leaves a URL. What is wrong with the port, or ends the hosts
  // too early, is found here: what Boost.URL makes of it depends on its version.
  void take_hosts_out() {
    plain_text_ = text_;
    const auto slashes = text_.find("://");
    if (slashes == text_.npos) return;
    const auto first = slashes + 3;
    const auto end = std::min(text_.find_first_of("/?#", first), text_.size());
    const auto at = text_.substr(0, end).rfind('@');
    const auto begin = at == text_.npos || at < first ? first : at + 1;
    hosts_ = text_.substr(begin, end - begin);
    refuse_misplaced_at(end);
    if (text_.substr(0, slashes).ends_with("+sentinel")) {
      plain_text_ = std::string(text_.substr(0, begin)) + "sentinels" + std::string(text_.substr(end));
    } else if (hosts_.find(',') != hosts_.npos) {
      fail("there are several hosts; a list of sentinels is written as " + sentinel_schemes());
    } else if (const auto port = port_of(hosts_); !port.empty()) {
      whole_number(port, 65535, "the port");
    }
  }

  // A password that holds / ? or # ends too early, and its rest looks like another part of the URL: the error
  // must not show that.
  void refuse_misplaced_at(std::size_t end_of_hosts) const {
    const bool is_path_free = text_.substr(0, text_.find("://")).ends_with("unix");
    const auto from = is_path_free ? text_.find_first_of("?#", end_of_hosts) : end_of_hosts;
    if (from != text_.npos && text_.find('@', from) != text_.npos) {
      fail(
          "there is an @ after the host; the characters @ / ? # in a user name or password are written as "
          "%40 %2F %3F %23");
    }
  }

  void parse(std::string_view text) {
    const auto parsed = boost::urls::parse_uri(text);
    if (!parsed) {
      fail("it is not a URL (" + parsed.error().message() +
           "); special characters in a user name or password are written as %XX");
    }
    url_ = *parsed;
  }

  std::string sentinel_schemes() const {
    return dialect_.scheme + "+sentinel:// or " + dialect_.scheme + "s+sentinel://";
  }

  void read_scheme() {
    const std::string scheme(url_.scheme());
    const auto& plain = dialect_.scheme;
    const bool is_redis = plain == "redis";
    unix_ = scheme == plain + "+unix" || (is_redis && scheme == "unix");
    sentinel_ = scheme == plain + "+sentinel" || scheme == plain + "s+sentinel";
    options_.tls = scheme == plain + "s" || scheme == plain + "s+sentinel";
    if (!unix_ && !sentinel_ && !options_.tls && scheme != plain) {
      fail("the scheme is \"" + scheme + "\"; known are " + plain + ", " + plain + "s, " + plain + "+unix, " +
           (is_redis ? "unix, " : "") + plain + "+sentinel and " + plain + "s+sentinel");
    }
    if (!url_.has_authority()) fail("after the scheme there must be ://");
  }

  void read_credentials() {
    options_.username = url_.user();
    options_.password = url_.password();
    if (!options_.username.empty() && options_.password.empty()) {
      fail("there is a user name without a password; a password alone is written as :password@");
    }
  }

  void read_port(std::string& into) {
    const std::string port(url_.port());
    if (port.empty()) return;
    if (whole_number(port, 65535, "the port") == 0) fail("the port is 0");
    into = port;
  }

  // Each is parsed as the host of a URL of its own.
  void read_sentinels() {
    const auto whole = url_;
    for (std::size_t begin = 0; begin <= hosts_.size();) {
      const auto end = std::min(hosts_.find(',', begin), hosts_.size());
      const auto entry = std::string(hosts_.substr(begin, end - begin)), one = "x://" + entry;
      if (port_of(entry).find_first_not_of("0123456789") != std::string::npos)
        fail("in the list of sentinels \"" + entry + "\" is no host and port");
      parse(one);
      endpoint sentinel{std::string(url_.host_address()), std::string(sentinel_port)};
      if (sentinel.host.empty()) fail("in the list of sentinels there is an empty host");
      read_port(sentinel.port);
      options_.sentinel.hosts.push_back(std::move(sentinel));
      begin = end + 1;
    }
    url_ = whole;
    options_.sentinel.tls = options_.tls;
  }

  void read_database_path() {
    std::string path = url_.path();
    if (path.starts_with('/')) path.erase(0, 1);
    if (!path.empty()) options_.database = whole_number(path, max_database, "the database");
  }

  void read_unix_path() {
    if (!url_.host_address().empty() || url_.has_port()) {
      fail("the socket's path must be absolute, with three slashes: " + dialect_.scheme +
           "+unix:///path/to.sock");
    }
    options_.unix_path = url_.path();
    if (options_.unix_path.empty() || options_.unix_path == "/") fail("the socket's path is missing");
    if (options_.unix_path.size() > max_unix_path) {
      fail("the socket's path is longer than " + std::to_string(max_unix_path) + " bytes");
    }
  }

  void read_query() {
    std::set<std::string> seen;
    for (const auto& parameter : url_.params()) {
      if (seen.contains("sentinel_password") && (!parameter.has_value || parameter.key.empty())) {
        fail("what follows sentinel_password has no name; an & in a password is written as %26");
      }
      if (!seen.insert(parameter.key).second)
        fail("the parameter \"" + parameter.key + "\" stands there twice");
      read_parameter(parameter.key, parameter.value);
    }
    refuse_tls_without_use(seen);
    if (seen.contains("sentinel_user") && !seen.contains("sentinel_password")) {
      fail("there is a sentinel_user without a sentinel_password");
    }
  }

  void refuse_tls_without_use(const std::set<std::string>& seen) const {
    if (options_.tls || options_.sentinel.tls) return;
    for (const std::string name : {"tls_ca", "tls_verify"}) {
      if (!seen.contains(name)) continue;
      fail("the parameter \"" + name + "\" is for " + tls_schemes() + " only");
    }
  }

  std::string tls_schemes() const {
    return dialect_.scheme + (sentinel_ ? "s+sentinel:// or sentinel_tls=yes" : "s://");
  }

  void read_parameter(const std::string& key, const std::string& value) {
    if (key == "timeout") {
      read_timeout(value);
    } else if (key == "tls_ca") {
      if (value.empty()) fail("the parameter \"tls_ca\" names no file");
      options_.tls_ca_file = value;
    } else if (key == "tls_verify") {
      options_.tls_verify = yes_or_no(key, value);
    } else if (key == "db" && unix_) {
      options_.database = whole_number(value, max_database, "the database");
    } else if (key == "master" || key.starts_with("sentinel_")) {
      read_of_sentinel(key, value);
    } else if (!read_of_dialect(key, value)) {
      fail_unknown(key);
    }
  }

  void read_of_sentinel(const std::string& key, const std::string& value) {
    auto& to = options_.sentinel;
    const bool is_known =
        key == "master" || key == "sentinel_user" || key == "sentinel_password" || key == "sentinel_tls";
    if (!is_known) fail_unknown(key);
    if (!sentinel_) fail("the parameter \"" + key + "\" is for " + sentinel_schemes() + " only");
    if (key == "sentinel_tls") {
      to.tls = yes_or_no(key, value);
      return;
    }
    if (value.empty()) fail("the parameter \"" + key + "\" is empty");
    (key == "master" ? to.master : key == "sentinel_user" ? to.username : to.password) = value;
  }

  bool yes_or_no(const std::string& key, const std::string& value) const {
    const bool yes = value == "yes" || value == "true" || value == "1";
    const bool no = value == "no" || value == "false" || value == "0";
    if (!yes && !no) fail("the parameter \"" + key + "\" is \"" + value + "\"; it must be yes or no");
    return yes;
  }

  [[noreturn]] void fail_unknown(const std::string& key) const {
    const auto more = dialect_.parameters.empty() ? "" : dialect_.parameters + ", ";
    const std::string of_sentinel = "master, sentinel_user, sentinel_password, sentinel_tls, ";
    fail("the parameter \"" + key + "\" is unknown; known are " + more + "timeout, " +
         (sentinel_ ? of_sentinel : "") +
         (unix_ ? "db" : "and for " + tls_schemes() + " tls_ca and tls_verify"));
  }

  bool read_of_dialect(const std::string& key, const std::string& value) {
    try {
      return dialect_.parameter && dialect_.parameter(key, value);
    } catch (const usage_error& e) {
      fail(e.what());
    }
  }

  void read_timeout(const std::string& value) {
    double seconds = 0;
    const auto [end, ec] =
        std::from_chars(value.data(), value.data() + value.size(), seconds, std::chars_format::fixed);
    const bool usable = ec == std::errc{} && end == value.data() + value.size() && seconds >= 0.001;
    if (!usable || seconds > max_timeout) {
      fail("the parameter \"timeout\" is \"" + value +
           "\"; it must be a number of seconds, from 0.001 to 1000000");
    }
    options_.request_timeout = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000 + 0.5));
    options_.has_request_timeout = true;
  }

  int whole_number(const std::string& digits, int max, const std::string& what) const {
    int n = -1;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (ec != std::errc{} || end != digits.data() + digits.size() || n < 0 || n > max) {
      fail(what + " is \"" + digits + "\"; it must be a number from 0 to " + std::to_string(max));
    }
    return n;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw usage_error("the " + dialect_.name + " URL \"" + without_password(text_) +
                      "\" can't be used: " + what);
  }

  std::string_view text_;
  std::string_view hosts_;  // with their ports
  std::string plain_text_;  // with one host
  const url_dialect& dialect_;
  boost::urls::url_view url_;
  connection_options options_;
  bool unix_ = false;
  bool sentinel_ = false;
};

}  // namespace

connection_options parse_url(std::string_view url) {
  return parse_url(url, url_dialect());
}

connection_options parse_url(std::string_view url, const url_dialect& dialect) {
  return reader(url, dialect).read();
}

}  // namespace quarq::redis
