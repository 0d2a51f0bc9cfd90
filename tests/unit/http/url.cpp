#include "http/client/url.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>

namespace quarq::http {
namespace {

template <class F>
std::string url_failure(F parse) {
  try {
    parse();
  } catch (const usage_error& e) {
    return e.what();
  }
  return "no error";
}

struct url_row {
  std::string text;
  std::string origin;
  std::string target;
};

TEST(http_url, is_taken_apart) {
  const std::vector<url_row> rows{
      {"http://example.org", "http://example.org", "/"},
      {"HTTP://Example.ORG:80/", "http://example.org", "/"},
      {"https://example.org:443/a?b=c#d", "https://example.org", "/a?b=c"},
      {"https://example.org:80/", "https://example.org:80", "/"},
      {"http://example.org?x=1", "http://example.org", "/?x=1"},
      {"http://example.org./a", "http://example.org", "/a"},
      {"http://[::1]:8080/x", "http://[::1]:8080", "/x"},
      {"http://127.0.0.1:8080/x", "http://127.0.0.1:8080", "/x"},
      {"http://a_b.example/%41%2f", "http://a_b.example", "/%41%2f"},
      {"http://h/a b", "http://h", "/a%20b"},
      {"http://h/\xc3\xa4?q=\xc3\xb6", "http://h", "/%C3%A4?q=%C3%B6"},
      {"http://h/100%", "http://h", "/100%25"},
      {"http://h/x?a[]=1|2", "http://h", "/x?a%5B%5D=1%7C2"},
      {"http://h:/x", "http://h", "/x"},
      {"http://h/a/./b/../../../c/..", "http://h", "/"},
      {"http://h/a/..b/.c/...", "http://h", "/a/..b/.c/..."},
      {"http://h//a//../b", "http://h", "//a/b"},
      {"http://u:p%40ss@h/x", "http://h", "/x"},
  };
  for (const auto& row : rows) {
    const auto u = parse_url(row.text);
    EXPECT_EQ(u.origin(), row.origin) << row.text;
    EXPECT_EQ(u.target, row.target) << row.text;
  }
}

// Plain URLs are read by a shorter way. A fragment, which means nothing, keeps a URL from it.
TEST(http_url, plain_ones_mean_what_all_mean) {
  std::minstd_rand random(7);
  const auto pick = [&random](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  const std::vector<std::string> hosts{"a", "example.org", "127.0.0.1", "a-b.c", "a..b", ".a",  "a.",
                                       "",  "A.org",       "a_b",       "[::1]", "u@a",  "1.2", "a%41"};
  const std::vector<std::string> ports{"",   "",  "",     ":80",    ":443",   ":8080",
                                       ":0", ":", ":080", ":65535", ":65536", ":x"};
  const std::vector<std::string> parts{"/",  "a",   "..", ".", "/b.c", "?", "q=1", "&",
                                       "//", "%41", "+",  ":", "@",    "~", " "};
  int plain = 0;
  for (int i = 0; i < 50'000; ++i) {
    auto text = pick({"http://", "https://", "HTTP://", "ftp://"}) + pick(hosts) + pick(ports);
    if (random() % 8 != 0) text += '/';
    for (auto left = random() % 5; left > 0; --left) text += pick(parts);
    url one;
    url other;
    const auto failure = url_failure([&] { one = parse_url(text); });
    const auto other_failure = url_failure([&] { other = parse_url(text + "#"); });
    ASSERT_EQ(failure == "no error", other_failure == "no error") << text;
    ASSERT_TRUE(one == other) << text << ": " << one.text() << ", " << other.text();
    plain += failure == "no error" ? 1 : 0;
  }
  EXPECT_GT(plain, 1000);
}

TEST(http_url, user_and_password_are_decoded_and_not_shown) {
  const auto u = parse_url("http://us%40er:p%3As@h:81/x");
  EXPECT_EQ(u.user, "us@er");
  EXPECT_EQ(u.password, "p:s");
  EXPECT_EQ(u.text(), "http://h:81/x");
  const auto failure = url_failure([] { parse_url("ftp://me:secret@host/x"); });
  EXPECT_EQ(failure, "URL \"ftp://***@host/x\": the scheme is \"ftp\", expected http or https");
}

TEST(http_url, says_what_is_wrong) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"example.org/x", "it has no scheme"},
      {"", "it has no scheme"},
      {"ws://h/", "the scheme is \"ws\""},
      {"http:///x", "it has no host"},
      {"http://h:0/", "the port \"0\" is not between 1 and 65535"},
      {"http://h:65536/", "the port \"65536\" is not between 1 and 65535"},
      {"http://h:99999999999/", "is not between 1 and 65535"},
      {"http://b\xc3\xbc"
       "cher.example/",
       "xn--"},
      {"http://h/a\r\nX: y", "it has a control character"},
      {std::string("http://h/\0", 10), "it has a control character"},
      {"http://ex%61mple/", "the host is percent-encoded"},
      {"http://a b/", "it is not a URL"},
      {"http://[::1/", "it is not a URL"},
      {"http://h$x/", "is not a host name"},
      {"http://a..b/", "\"a..b\" is not a host name"},
      {"http://.a/", "\".a\" is not a host name"},
      {"http://a../", "is not a host name"},
      {"http://./", "is not a host name"},
      {"http://h/" + std::string(9000, 'x'), "it is longer than 8000 bytes"},
  };
  for (const auto& [row, part] : rows) {
    const auto& text = row;
    const auto failure = url_failure([&] { parse_url(text); });
    EXPECT_NE(failure.find(part), failure.npos) << text << ": " << failure;
  }
}

// RFC 3986, 5.4, as far as it can be told from the result.
TEST(http_url, resolves_references_as_rfc_3986_has_it) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g/"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"https://b:8443/x", "https://b:8443/x"},
      {"//b/x?y#z", "http://b/x?y"},
      {"/a b\xc3\xa4", "http://a/a%20b%C3%A4"},
      {"/x?u=http://c/d", "http://a/x?u=http://c/d"},
  };
  const auto base = parse_url("http://a/b/c/d;p?q");
  for (const auto& [reference, expected] : rows)
    EXPECT_EQ(resolve_url(base, reference).text(), expected) << reference;
}

TEST(http_url, a_password_stays_within_its_origin) {
  const auto base = parse_url("http://u:p@a/");
  EXPECT_EQ(resolve_url(base, "/x").password, "p");
  EXPECT_EQ(resolve_url(base, "http://a:81/x").password, "");
  EXPECT_EQ(resolve_url(base, "https://a/x").password, "");
  EXPECT_EQ(resolve_url(base, "http://b/x").password, "");
  EXPECT_EQ(resolve_url(base, "http://v:q@b/x").password, "q");
}

TEST(http_url, a_reference_to_another_scheme_is_refused) {
  const auto base = parse_url("http://a/");
  for (const auto* reference : {"ftp://a/x", "file:///etc/passwd", "javascript:alert(1)", "mailto:a@b"})
    EXPECT_NE(url_failure([&] { resolve_url(base, reference); }).find("expected http or https"),
              std::string::npos)
        << reference;
}

}  // namespace
}  // namespace quarq::http
