#include "http/client/cookies.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/client/dates.hpp"
#include "support/http_table.hpp"

namespace quarq::http {
namespace {

using namespace std::chrono_literals;

const cookie_jar::time_point cookie_time = std::chrono::sys_days(std::chrono::year(2011) / 1 / 1);

std::vector<std::string> cookie_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

TEST(http_cookies, are_kept_as_http_state_says) {
  const auto from = parse_url("http://home.example.org:8888/cookie-parser");
  const auto rows = test::read_table("cookies.tsv");
  EXPECT_GT(rows.size(), 200u);
  for (const auto& row : rows) {
    ASSERT_GE(row.size(), 4u) << row.front();
    cookie_jar jar;
    for (const auto& field : cookie_lines(test::unescaped(row[3]))) jar.store(from, field, cookie_time);
    EXPECT_EQ(jar.header_for(parse_url(test::unescaped(row[1])), cookie_time), test::unescaped(row[2]))
        << row.front() << ": " << row[3];
  }
}

TEST(http_cookies, dates_are_read_as_http_state_says) {
  for (const auto& row : test::read_table("dates.tsv")) {
    const auto text = test::unescaped(row.front());
    const bool is_date = row.size() > 1 && !row[1].empty();
    if (is_date) {
      EXPECT_EQ(parse_date(text), parse_date(row[1])) << text;
      EXPECT_TRUE(parse_date(text)) << text;
    } else {
      EXPECT_FALSE(parse_date(text)) << text;
    }
  }
}

std::string cookies_at(cookie_jar& jar, std::string_view to, std::chrono::seconds later = 0s) {
  return jar.header_for(parse_url(to), cookie_time + later);
}

TEST(http_cookies, none_for_a_public_suffix) {
  for (const auto* suffix : {"com", "co.uk", "github.io", "org"})
    EXPECT_TRUE(is_public_suffix(suffix)) << suffix;
  for (const auto* domain : {"example.com", "example.co.uk", "me.github.io"})
    EXPECT_FALSE(is_public_suffix(domain));
  cookie_jar jar;
  jar.store(parse_url("http://me.github.io/"), "a=b; domain=github.io", cookie_time);
  jar.store(parse_url("http://example.co.uk/"), "a=b; domain=co.uk", cookie_time);
  EXPECT_EQ(jar.size(), 0u);
  // The owner of the suffix gets a cookie of its own.
  jar.store(parse_url("http://github.io/"), "a=b; domain=github.io", cookie_time);
  EXPECT_EQ(cookies_at(jar, "http://github.io/"), "a=b");
  EXPECT_EQ(cookies_at(jar, "http://me.github.io/"), "");
}

TEST(http_cookies, do_not_reach_other_hosts) {
  cookie_jar jar;
  jar.store(parse_url("http://example.org/"), "host=1", cookie_time);
  jar.store(parse_url("http://www.example.org/"), "domain=1; domain=example.org", cookie_time);
  jar.store(parse_url("http://127.0.0.1/"), "address=1; domain=0.0.1", cookie_time);
  EXPECT_EQ(cookies_at(jar, "http://example.org/"), "host=1; domain=1");
  EXPECT_EQ(cookies_at(jar, "http://www.example.org/"), "domain=1");
  for (const auto* other :
       {"http://notexample.org/", "http://example.org.evil.net/", "http://org/", "http://127.0.0.1/"})
    EXPECT_EQ(cookies_at(jar, other), "") << other;
}

TEST(http_cookies, secure_ones_need_tls) {
  cookie_jar jar;
  jar.store(parse_url("http://a.org/"), "early=1; secure", cookie_time);
  EXPECT_EQ(jar.size(), 0u);
  jar.store(parse_url("https://a.org/"), "s=1; secure", cookie_time);
  EXPECT_EQ(cookies_at(jar, "http://a.org/"), "");
  EXPECT_EQ(cookies_at(jar, "https://a.org/"), "s=1");
  // Who listens on the way does not replace it.
  jar.store(parse_url("http://a.org/"), "s=evil", cookie_time);
  jar.store(parse_url("http://www.a.org/"), "s=evil; domain=a.org", cookie_time);
  EXPECT_EQ(cookies_at(jar, "https://a.org/"), "s=1");
}

TEST(http_cookies, prefixes_keep_their_promises) {
  struct row {
    std::string from, field;
    bool kept;
  };
  const std::vector<row> rows{
      {"https://a.org/", "__Secure-a=1; secure", true},
      {"https://a.org/", "__Secure-a=1", false},
      {"http://a.org/", "__Secure-a=1; secure", false},
      {"https://a.org/", "__Host-a=1; secure; path=/", true},
      {"https://a.org/x/", "__Host-a=1; secure", false},
      {"https://a.org/", "__Host-a=1; secure; path=/; domain=a.org", false},
      {"https://a.org/", "__host-a=1; path=/", false},
      {"https://a.org/", "=__Host-a=1; secure; path=/", false},
  };
  for (const auto& one : rows) {
    cookie_jar jar;
    jar.store(parse_url(one.from), one.field, cookie_time);
    EXPECT_EQ(jar.size() == 1, one.kept) << one.field;
  }
}

TEST(http_cookies, end_when_they_say_so) {
  cookie_jar jar;
  const auto a = parse_url("http://a.org/");
  jar.store(a, "x=1; max-age=10; expires=Thu, 01 Jan 1970 00:00:00 GMT", cookie_time);
  EXPECT_EQ(cookies_at(jar, "http://a.org/", 9s), "x=1");
  EXPECT_EQ(cookies_at(jar, "http://a.org/", 10s), "");
  jar.store(a, "x=2; max-age=-1", cookie_time);
  EXPECT_EQ(jar.size(), 0u);
  jar.store(a, "forever=1; max-age=99999999999999", cookie_time);
  EXPECT_EQ(cookies_at(jar, "http://a.org/", 399 * 24h), "forever=1");
  EXPECT_EQ(cookies_at(jar, "http://a.org/", 401 * 24h), "");
}

// Nanoseconds since 1970, in which the clock counts, end in 2262.
TEST(http_cookies, may_end_when_the_clock_has_no_time_for_it) {
  cookie_jar jar;
  const auto a = parse_url("http://a.org/");
  jar.store(a, "late=1; expires=Fri, 31 Dec 9999 23:59:59 GMT", cookie_time);
  EXPECT_EQ(cookies_at(jar, "http://a.org/", 399 * 24h), "late=1");
  EXPECT_EQ(cookies_at(jar, "http://a.org/", 401 * 24h), "");
  jar.store(a, "early=1; expires=Mon, 01 Jan 1601 00:00:00 GMT", cookie_time);
  EXPECT_EQ(jar.size(), 1u);
}

// A clock that is set back and forth: nothing ends before its time by the clock.
TEST(http_cookies, follow_a_clock_that_jumps) {
  cookie_jar jar;
  jar.store(parse_url("http://a.org/"), "x=1; max-age=10", cookie_time);
  EXPECT_EQ(cookies_at(jar, "http://a.org/", -1h), "x=1");
  EXPECT_EQ(cookies_at(jar, "http://a.org/", 9s), "x=1");
  EXPECT_EQ(cookies_at(jar, "http://a.org/", 1h), "");
}

TEST(http_cookies, are_not_without_number_or_size) {
  cookie_jar jar;
  for (int i = 0; i < 200; ++i) jar.store(parse_url("http://a.org/"), std::to_string(i) + "=x", cookie_time);
  EXPECT_EQ(jar.size(), cookie_jar::max_cookies_per_domain);
  EXPECT_EQ(cookies_at(jar, "http://a.org/").substr(0, 5), "150=x");
  for (int i = 0; i < 3010; ++i)
    jar.store(parse_url("http://" + std::to_string(i) + ".net/"), "a=x", cookie_time);
  EXPECT_EQ(jar.size(), cookie_jar::max_cookies);
  EXPECT_FALSE(parse_set_cookie("a=" + std::string(4096, 'x')));
  EXPECT_TRUE(parse_set_cookie("a=" + std::string(4095, 'x')));
}

TEST(http_cookies, nothing_in_them_can_split_a_request) {
  for (const std::string& bad :
       {std::string("a=b\r\nc"), std::string("a=b\nc"), std::string("a=b\0c", 5), std::string("a=b\x7f")})
    EXPECT_FALSE(parse_set_cookie(bad));
}

}  // namespace
}  // namespace quarq::http
