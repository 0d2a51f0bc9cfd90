#include "http/client/proxy_rules.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>

namespace quarq::http {
namespace {

struct no_proxy_row {
  std::string list;
  std::string host;
  std::uint16_t port;
  bool matches;
};

TEST(http_no_proxy, matches_domains_addresses_ranges_and_ports) {
  const std::vector<no_proxy_row> rows{
      {"", "example.org", 80, false},
      {"*", "example.org", 80, true},
      {"*", "10.1.2.3", 80, true},
      {"a.b, *", "example.org", 80, true},
      {"example.org", "example.org", 80, true},
      {"example.org", "www.example.org", 80, true},
      {"example.org", "a.b.example.org", 443, true},
      {"example.org", "notexample.org", 80, false},
      {"example.org", "example.org.evil", 80, false},
      {"example.org", "org", 80, false},
      {"EXAMPLE.org", "example.org", 80, true},
      {".example.org", "www.example.org", 80, true},
      {".example.org", "example.org", 80, true},
      {".example.org", "badexample.org", 80, false},
      {"*.example.org", "www.example.org", 80, true},
      {"example.org.", "example.org", 80, true},
      {"example.org:8080", "example.org", 8080, true},
      {"example.org:8080", "www.example.org", 8080, true},
      {"example.org:8080", "example.org", 80, false},
      {"example.org:", "example.org", 80, false},
      {"example.org:x", "example.org", 80, false},
      {"example.org:99999", "example.org", 80, false},
      {"a.b,example.org", "example.org", 80, true},
      {"a.b , example.org ", "example.org", 80, true},
      {"a.b example.org", "example.org", 80, true},
      {",,example.org,,", "example.org", 80, true},
      {",", "example.org", 80, false},
      {".", "example.org", 80, false},
      {"10.0.0.1", "10.0.0.1", 80, true},
      {"10.0.0.1", "10.0.0.10", 80, false},
      {"10.0.0.1:81", "10.0.0.1", 81, true},
      {"10.0.0.1:81", "10.0.0.1", 80, false},
      {"0.0.1", "10.0.0.1", 80, false},
      {"1", "10.0.0.1", 80, false},
      {"10.0.0.0/8", "10.200.3.4", 80, true},
      {"10.0.0.0/8", "11.0.0.1", 80, false},
      {"10.0.0.0/8", "10.example.org", 80, false},
      {"192.168.1.64/26", "192.168.1.127", 80, true},
      {"192.168.1.64/26", "192.168.1.128", 80, false},
      {"0.0.0.0/0", "8.8.8.8", 80, true},
      {"0.0.0.0/0", "::1", 80, false},
      {"10.0.0.0/33", "10.0.0.1", 80, false},
      {"10.0.0.0/-1", "10.0.0.1", 80, false},
      {"10.0.0.0/", "10.0.0.1", 80, false},
      {"::1", "::1", 80, true},
      {"[::1]", "::1", 80, true},
      {"[::1]:81", "::1", 81, true},
      {"[::1]:81", "::1", 80, false},
      {"fd00::/8", "fd12:3456::1", 80, true},
      {"fd00::/8", "fe80::1", 80, false},
      {"2001:db8:0:0:0:0:0:1", "2001:db8::1", 80, true},
      {"10.0.0.1", "::ffff:10.0.0.1", 80, true},
      {"localhost", "localhost", 80, true},
      {"localhost", "127.0.0.1", 80, false},
  };
  EXPECT_GE(rows.size(), 40u);
  for (const auto& row : rows)
    EXPECT_EQ(no_proxy_list(row.list).matches(row.host, row.port), row.matches)
        << "\"" << row.list << "\" " << row.host << ":" << row.port;
}

proxy_rules rules_of(const std::map<std::string, std::string>& environment) {
  return proxy_rules::from_environment([&](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

std::string proxy_in(const std::map<std::string, std::string>& environment, std::string_view target) {
  const auto proxy = rules_of(environment).proxy_for(parse_url(target));
  return proxy ? proxy->authority() : "none";
}

TEST(http_proxy, each_scheme_has_its_variable) {
  EXPECT_EQ(proxy_in({}, "http://a/"), "none");
  EXPECT_EQ(proxy_in({{"HTTP_PROXY", "http://p:1"}}, "http://a/"), "p:1");
  EXPECT_EQ(proxy_in({{"HTTP_PROXY", "http://p:1"}}, "https://a/"), "none");
  EXPECT_EQ(proxy_in({{"HTTPS_PROXY", "http://p:1"}}, "https://a/"), "p:1");
  EXPECT_EQ(proxy_in({{"https_proxy", "p:1"}}, "https://a/"), "p:1");
  EXPECT_EQ(proxy_in({{"ALL_PROXY", "p:1"}}, "https://a/"), "p:1");
  EXPECT_EQ(proxy_in({{"ALL_PROXY", "p:1"}, {"http_proxy", "q:2"}}, "http://a/"), "q:2");
  EXPECT_EQ(proxy_in({{"http_proxy", "q:2"}, {"HTTP_PROXY", "p:1"}}, "http://a/"), "q:2");
  EXPECT_EQ(proxy_in({{"http_proxy", ""}, {"HTTP_PROXY", "p:1"}}, "http://a/"), "p:1");
}

TEST(http_proxy, a_cgi_programs_requests_do_not_name_it) {
  EXPECT_EQ(proxy_in({{"HTTP_PROXY", "evil:1"}, {"REQUEST_METHOD", "GET"}}, "http://a/"), "none");
  EXPECT_EQ(proxy_in({{"http_proxy", "p:1"}, {"REQUEST_METHOD", "GET"}}, "http://a/"), "p:1");
}

TEST(http_proxy, loopback_needs_none) {
  for (const auto* target :
       {"http://localhost/", "http://127.0.0.1/", "http://127.3.2.1:8080/", "http://[::1]/"})
    EXPECT_EQ(proxy_in({{"HTTP_PROXY", "p:1"}}, target), "none") << target;
  EXPECT_TRUE(proxy_rules("http://p:1").proxy_for(parse_url("http://localhost/")));
}

TEST(http_proxy, no_proxy_excepts_hosts) {
  const std::map<std::string, std::string> environment{{"HTTP_PROXY", "p:1"},
                                                       {"NO_PROXY", "internal,10.0.0.0/8"}};
  EXPECT_EQ(proxy_in(environment, "http://x.internal/"), "none");
  EXPECT_EQ(proxy_in(environment, "http://10.9.8.7/"), "none");
  EXPECT_EQ(proxy_in(environment, "http://x.external/"), "p:1");
}

TEST(http_proxy, a_wrong_one_is_named_without_its_password) {
  try {
    rules_of({{"HTTPS_PROXY", "socks5://u:secret@p:1"}});
    FAIL();
  } catch (const usage_error& e) {
    EXPECT_EQ(std::string(e.what()),
              "HTTPS_PROXY: URL \"socks5://***@p:1\": the scheme is \"socks5\", expected http or https");
  }
  EXPECT_THROW(proxy_rules("https://p:1"), usage_error);
  EXPECT_THROW(proxy_rules("http://p:1/path"), usage_error);
}

TEST(http_proxy, has_its_own_user) {
  const auto proxy = rules_of({{"HTTP_PROXY", "http://u:p%40@h:1"}}).proxy_for(parse_url("http://a/"));
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->user, "u");
  EXPECT_EQ(proxy->password, "p@");
}

}  // namespace
}  // namespace quarq::http
