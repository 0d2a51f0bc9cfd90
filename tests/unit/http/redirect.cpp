#include "http/client/redirect.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::http {
namespace {

using kind = redirect_decision::kind;

redirect_decision after(int status, std::string_view method, std::string_view from, std::string_view location,
                        bool has_body = false, bool again = true) {
  const auto page = parse_url(from);
  return decide_redirect({status, location, method, page, has_body, again});
}

TEST(http_redirect, only_these_statuses_with_a_location_are_followed) {
  for (int status = 200; status < 600; ++status) {
    const bool follows = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    EXPECT_EQ(after(status, "GET", "http://a/", "/x").what == kind::follow, follows) << status;
  }
  EXPECT_EQ(after(302, "GET", "http://a/", "").what, kind::none);
}

struct method_row {
  int status;
  std::string method;
  std::string next;
  bool keeps_body;
};

TEST(http_redirect, method_and_body_follow_the_status) {
  const std::vector<method_row> rows{
      {301, "GET", "GET", true},     {301, "HEAD", "HEAD", true},     {301, "POST", "GET", false},
      {301, "PUT", "PUT", true},     {301, "DELETE", "DELETE", true}, {301, "PATCH", "PATCH", true},
      {302, "GET", "GET", true},     {302, "HEAD", "HEAD", true},     {302, "POST", "GET", false},
      {302, "PUT", "PUT", true},     {302, "DELETE", "DELETE", true}, {303, "GET", "GET", true},
      {303, "HEAD", "HEAD", true},   {303, "POST", "GET", false},     {303, "PUT", "GET", false},
      {303, "DELETE", "GET", false}, {303, "PATCH", "GET", false},    {307, "GET", "GET", true},
      {307, "POST", "POST", true},   {307, "PUT", "PUT", true},       {308, "POST", "POST", true},
      {308, "PATCH", "PATCH", true}, {308, "DELETE", "DELETE", true},
  };
  for (const auto& row : rows) {
    const auto decision = after(row.status, row.method, "http://a/", "/x", true);
    EXPECT_EQ(decision.what, kind::follow);
    EXPECT_EQ(decision.method, row.next) << row.status << " " << row.method;
    EXPECT_EQ(decision.keeps_body, row.keeps_body) << row.status << " " << row.method;
  }
}

TEST(http_redirect, a_body_that_was_a_stream_is_not_sent_again) {
  EXPECT_EQ(after(307, "POST", "http://a/", "/x", true, false).why,
            "it needs the body again, which was a stream");
  EXPECT_EQ(after(308, "PUT", "http://a/", "/x", true, false).what, kind::refuse);
  EXPECT_EQ(after(303, "POST", "http://a/", "/x", true, false).what, kind::follow);
  EXPECT_EQ(after(307, "GET", "http://a/", "/x", false, false).what, kind::follow);
}

struct origin_row {
  std::string from;
  std::string location;
  bool keeps_credentials;
};

TEST(http_redirect, credentials_stay_within_the_origin) {
  const std::vector<origin_row> rows{
      {"http://a/1", "/2", true},
      {"http://a/1", "http://a/2", true},
      {"http://a/1", "http://A:80/2", true},
      {"http://a/1", "//a/2", true},
      {"http://a/1", "http://a:8080/2", false},
      {"http://a:8080/1", "http://a/2", false},
      {"http://a/1", "https://a/2", false},
      {"http://a/1", "http://b/2", false},
      {"http://a/1", "http://www.a/2", false},
      {"http://www.a/1", "http://a/2", false},
      {"https://a/1", "https://a:443/2", true},
      {"https://a/1", "https://a:8443/2", false},
      {"http://127.0.0.1/1", "http://localhost/2", false},
  };
  for (const auto& row : rows) {
    const auto decision = after(302, "GET", row.from, row.location);
    ASSERT_EQ(decision.what, kind::follow) << row.location;
    EXPECT_EQ(decision.keeps_credentials, row.keeps_credentials) << row.from << " " << row.location;
    fields headers{
        {"Authorization", "Basic x"}, {"Cookie", "a=b"}, {"Proxy-Authorization", "y"}, {"Accept", "*"}};
    clean_for_redirect(headers, decision);
    for (const auto* name : {"Authorization", "Cookie", "Proxy-Authorization"})
      EXPECT_EQ(headers.contains(name), row.keeps_credentials) << row.location;
    EXPECT_TRUE(headers.contains("Accept"));
  }
}

TEST(http_redirect, fields_of_a_body_go_with_it) {
  fields headers{{"Content-Type", "text/plain"}, {"Content-Length", "3"}, {"Host", "a"}, {"X", "y"}};
  auto kept = headers;
  clean_for_redirect(kept, after(307, "POST", "http://a/", "/x", true));
  EXPECT_TRUE(kept.contains("Content-Type"));
  EXPECT_FALSE(kept.contains("Host"));
  clean_for_redirect(headers, after(303, "POST", "http://a/", "/x", true));
  EXPECT_FALSE(headers.contains("Content-Type"));
  EXPECT_FALSE(headers.contains("Content-Length"));
  EXPECT_TRUE(headers.contains("X"));
}

TEST(http_redirect, what_leads_out_of_https_or_http_is_refused) {
  EXPECT_EQ(after(302, "GET", "https://a/", "http://a/x").why, "it leads from https to http, to http://a");
  EXPECT_EQ(after(302, "GET", "https://a/", "http://b/x").what, kind::refuse);
  EXPECT_EQ(after(302, "GET", "http://a/", "file:///etc/passwd").what, kind::refuse);
  EXPECT_EQ(after(302, "GET", "http://a/", "http://b:99999/").what, kind::refuse);
}

}  // namespace
}  // namespace quarq::http
