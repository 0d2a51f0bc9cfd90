#include "http/client/dates.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/http/response.hpp>

namespace quarq::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

sys_seconds nov_6_1994() {
  return sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 37s;
}

TEST(http_date, the_three_forms_of_rfc_9110) {
  for (const auto* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
    EXPECT_EQ(parse_date(text), nov_6_1994()) << text;
}

TEST(http_date, what_servers_write_in_their_place) {
  for (const auto* text : {"06 Nov 1994 08:49:37", "Sun, 6-November-1994 8:49:37 UTC", "08:49:37 6 nOv 94",
                           "6/Nov/1994 08:49:37"})
    EXPECT_EQ(parse_date(text), nov_6_1994()) << text;
  EXPECT_EQ(parse_date("Thu, 01-Jan-1970 00:00:00 GMT"), sys_seconds());
  EXPECT_EQ(parse_date("1 Jan 69 00:00:00"), sys_days(std::chrono::year(2069) / 1 / 1));
}

TEST(http_date, what_is_none) {
  for (const auto* text :
       {"", "now", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 25:00:00", "Sun, 06 Nov 1994 08:60:00",
        "Sun, 31 Feb 1994 08:49:37", "Sun, 06 Foo 1994 08:49:37", "Sun, 06 Nov 1600 08:49:37",
        "Sun, 06 Nov 19945 08:49:37", "Sun, 00 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49"})
    EXPECT_EQ(parse_date(text), std::nullopt) << text;
}

TEST(http_retry_after, seconds_or_a_moment) {
  const auto now = nov_6_1994();
  EXPECT_EQ(retry_after_of("0", now), 0ms);
  EXPECT_EQ(retry_after_of(" 120 ", now), 120s);
  EXPECT_EQ(retry_after_of("Sun, 06 Nov 1994 08:50:37 GMT", now), 60s);
  EXPECT_EQ(retry_after_of("Sun, 06 Nov 1994 08:48:37 GMT", now), 0ms);
  EXPECT_EQ(retry_after_of("99999999999999999999999", now), 24h);
  EXPECT_EQ(retry_after_of("Fri, 31 Dec 9999 23:59:59 GMT", now), 24h);
  EXPECT_EQ(retry_after_of("Mon, 01 Jan 1601 00:00:00 GMT", now), 0ms);
  EXPECT_EQ(retry_after_of("86401", now), 24h);
  for (const auto* text : {"", "soon", "-1", "1.5", "1s"})
    EXPECT_EQ(retry_after_of(text, now), std::nullopt) << text;
}

TEST(http_retry_after, of_a_response) {
  response busy(429);
  EXPECT_EQ(busy.retry_after(), std::nullopt);
  busy.headers.set("Retry-After", "2");
  EXPECT_EQ(busy.retry_after(), 2s);
}

TEST(http_keep_alive, less_one_second) {
  EXPECT_EQ(kept_alive_for("", 15s), 15s);
  EXPECT_EQ(kept_alive_for("timeout=5", 15s), 4s);
  EXPECT_EQ(kept_alive_for("timeout=5, max=100", 15s), 4s);
  EXPECT_EQ(kept_alive_for("max=100, Timeout = 5", 15s), 4s);
  EXPECT_EQ(kept_alive_for("timeout=60", 15s), 15s);
  EXPECT_EQ(kept_alive_for("timeout=1", 15s), 0s);
  EXPECT_EQ(kept_alive_for("timeout=0", 15s), 0s);
  for (const auto* text : {"timeout", "timeout=", "timeout=x", "timeout=-5", "max=5", "timeout=99999999999"})
    EXPECT_EQ(kept_alive_for(text, 15s), 15s) << text;
}

}  // namespace
}  // namespace quarq::http
