#include <charconv>
#include <set>
#include <string>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <quarq/errors.hpp>

#include "net/redis_connection.hpp"

namespace quarq::net {

// Passwords often come with characters that should have been percent-encoded, so the last @ is taken as its
// end.
std::string without_password(std::string_view url) {
  const auto slashes = url.find("://");
  const auto at = url.rfind('@');
  if (slashes == url.npos || at == url.npos || at < slashes) return std::string(url);
  const auto colon = url.find(':', slashes + 3);
  if (colon == url.npos || colon > at) return std::string(url);
  return std::string(url.substr(0, colon + 1)) + "***" + std::string(url.substr(at));
}

namespace {

constexpr std::size_t longest_unix_path = 107;  // what a sockaddr_un holds
constexpr double longest_patience = 1e6;        // seconds
constexpr int highest_database = 1'000'000;

class reader {
 public:
  reader(std::string_view text, const redis_url_dialect& dialect) : text_(text), dialect_(dialect) {}

  redis_options read() {
    const auto parsed = boost::urls::parse_uri(text_);
    if (!parsed) {
      fail("it is not a URL (" + parsed.error().message() +
           "); special characters in a user name or password are written as %XX");
    }
    url_ = *parsed;
    read_scheme();
    refuse_misplaced_at();
    read_credentials();
    if (unix_) {
      read_unix_path();
    } else {
      read_host();
      read_database_path();
    }
    read_query();
    if (url_.has_fragment()) fail("it has a fragment (what follows #)");
    return options_;
  }

 private:
  void read_scheme() {
    const std::string scheme(url_.scheme());
    const auto& plain = dialect_.scheme;
    const bool is_redis = plain == "redis";
    unix_ = scheme == plain + "+unix" || (is_redis && scheme == "unix");
    options_.tls = scheme == plain + "s";
    if (!unix_ && !options_.tls && scheme != plain) {
      fail("the scheme is \"" + scheme + "\"; known are " + plain + ", " + plain + "s" +
           (is_redis ? ", redis+unix and unix" : " and " + plain + "+unix"));
    }
    if (!url_.has_authority()) fail("after the scheme there must be ://");
  }

  // A password that holds / ? or # ends too early, and its rest seems to be another part: say so instead of
  // showing that.
  void refuse_misplaced_at() const {
    const auto holds_at = [](std::string_view part) { return part.find('@') != part.npos; };
    if ((!unix_ && holds_at(url_.encoded_path())) || holds_at(url_.encoded_query()) ||
        holds_at(url_.encoded_fragment())) {
      fail(
          "there is an @ after the host; the characters @ / ? # in a user name or password are written as "
          "%40 %2F %3F %23");
    }
  }

  void read_credentials() {
    options_.username = url_.user();
    options_.password = url_.password();
    if (!options_.username.empty() && options_.password.empty()) {
      fail("there is a user name without a password; a password alone is written as :password@");
    }
  }

  void read_host() {
    const std::string host = url_.host_address();
    if (!host.empty()) options_.host = host;
    const std::string port(url_.port());
    if (port.empty()) return;
    if (whole_number(port, 65535, "the port") == 0) fail("the port is 0");
    options_.port = port;
  }

  void read_database_path() {
    std::string path = url_.path();
    if (path.starts_with('/')) path.erase(0, 1);
    if (!path.empty()) options_.database = whole_number(path, highest_database, "the database");
  }

  void read_unix_path() {
    if (!url_.host_address().empty() || url_.has_port()) {
      fail("the socket's path must be absolute, with three slashes: " + dialect_.scheme +
           "+unix:///path/to.sock");
    }
    options_.unix_path = url_.path();
    if (options_.unix_path.empty() || options_.unix_path == "/") fail("the socket's path is missing");
    if (options_.unix_path.size() > longest_unix_path) {
      fail("the socket's path is longer than " + std::to_string(longest_unix_path) + " bytes");
    }
  }

  void read_query() {
    std::set<std::string> seen;
    for (const auto& parameter : url_.params()) {
      if (!seen.insert(parameter.key).second)
        fail("the parameter \"" + parameter.key + "\" stands there twice");
      read_parameter(parameter.key, parameter.value);
    }
  }

  void read_parameter(const std::string& key, const std::string& value) {
    const bool is_tls = key == "tls_ca" || key == "tls_verify";
    if (is_tls && !options_.tls)
      fail("the parameter \"" + key + "\" is for " + dialect_.scheme + "s:// only");
    if (key == "timeout") {
      read_timeout(value);
    } else if (key == "tls_ca") {
      if (value.empty()) fail("the parameter \"tls_ca\" names no file");
      options_.tls_ca_file = value;
    } else if (key == "tls_verify") {
      const bool yes = value == "yes" || value == "true" || value == "1";
      const bool no = value == "no" || value == "false" || value == "0";
      if (!yes && !no) fail("the parameter \"tls_verify\" is \"" + value + "\"; it must be yes or no");
      options_.tls_verify = yes;
    } else if (key == "db" && unix_) {
      options_.database = whole_number(value, highest_database, "the database");
    } else if (!read_of_dialect(key, value)) {
      const auto more = dialect_.parameters.empty() ? "" : dialect_.parameters + ", ";
      fail("the parameter \"" + key + "\" is unknown; known are " + more + "timeout, " +
           (unix_ ? "db" : "and for " + dialect_.scheme + "s:// tls_ca and tls_verify"));
    }
  }

  bool read_of_dialect(const std::string& key, const std::string& value) {
    try {
      return dialect_.parameter && dialect_.parameter(key, value);
    } catch (const invalid_argument& e) {
      fail(e.what());
    }
  }

  void read_timeout(const std::string& value) {
    double seconds = 0;
    const auto [end, ec] =
        std::from_chars(value.data(), value.data() + value.size(), seconds, std::chars_format::fixed);
    const bool usable = ec == std::errc{} && end == value.data() + value.size() && seconds >= 0.001;
    if (!usable || seconds > longest_patience) {
      fail("the parameter \"timeout\" is \"" + value +
           "\"; it must be a number of seconds, from 0.001 to 1000000");
    }
    options_.patience = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000 + 0.5));
  }

  int whole_number(const std::string& digits, int most, const std::string& what) const {
    int n = -1;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (ec != std::errc{} || end != digits.data() + digits.size() || n < 0 || n > most) {
      fail(what + " is \"" + digits + "\"; it must be a number from 0 to " + std::to_string(most));
    }
    return n;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw invalid_argument("the " + dialect_.name + " URL \"" + without_password(text_) +
                           "\" can't be used: " + what);
  }

  std::string_view text_;
  const redis_url_dialect& dialect_;
  boost::urls::url_view url_;
  redis_options options_;
  bool unix_ = false;
};

}  // namespace

redis_options parse_redis_url(std::string_view url, const redis_url_dialect& dialect) {
  return reader(url, dialect).read();
}

}  // namespace quarq::net
