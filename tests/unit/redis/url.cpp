#include "redis/url.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>

namespace quarq::redis {
namespace {

using namespace std::chrono_literals;

std::string url_error(std::string_view url) {
  try {
    parse_url(url);
  } catch (const usage_error& e) {
    return e.what();
  }
  return "no error";
}

TEST(redis_url, host_port_and_database) {
  const auto o = parse_url("redis://cache.example.com:7000/3");
  EXPECT_EQ(o.host, "cache.example.com");
  EXPECT_EQ(o.port, "7000");
  EXPECT_EQ(o.database, 3);
  EXPECT_EQ(o.unix_path, "");
  EXPECT_FALSE(o.tls);
  EXPECT_EQ(o.username, "");
  EXPECT_EQ(o.password, "");
  EXPECT_EQ(o.request_timeout, 10s);
}

TEST(redis_url, what_is_left_out_takes_its_default) {
  for (const auto* url : {"redis://", "redis://127.0.0.1", "redis://127.0.0.1/", "redis:///0"}) {
    const auto o = parse_url(url);
    EXPECT_EQ(o.host, "127.0.0.1") << url;
    EXPECT_EQ(o.port, "6379") << url;
    EXPECT_EQ(o.database, 0) << url;
  }
}

TEST(redis_url, an_ipv6_address_loses_its_brackets) {
  const auto o = parse_url("redis://[::1]:6380/1");
  EXPECT_EQ(o.host, "::1");
  EXPECT_EQ(o.port, "6380");
}

TEST(redis_url, user_and_password_are_percent_decoded) {
  const auto both = parse_url("redis://us%40er:p%3Ass%2Fw%25rd@host");
  EXPECT_EQ(both.username, "us@er");
  EXPECT_EQ(both.password, "p:ss/w%rd");
  EXPECT_EQ(both.host, "host");
  const auto password_only = parse_url("redis://:secret@host");
  EXPECT_EQ(password_only.username, "");
  EXPECT_EQ(password_only.password, "secret");
}

TEST(redis_url, tls_and_its_parameters) {
  const auto plain = parse_url("rediss://host");
  EXPECT_TRUE(plain.tls);
  EXPECT_TRUE(plain.tls_verify);
  EXPECT_EQ(plain.tls_ca_file, "");
  const auto o = parse_url("rediss://host/2?tls_ca=%2Fetc%2Fmy%20ca.pem&tls_verify=no");
  EXPECT_EQ(o.tls_ca_file, "/etc/my ca.pem");
  EXPECT_FALSE(o.tls_verify);
  EXPECT_EQ(o.database, 2);
}

TEST(redis_url, unix_sockets) {
  for (const std::string scheme : {"redis+unix", "unix"}) {
    const auto o = parse_url(scheme + "://user:pass@/run/my%20redis/redis.sock?db=5&timeout=1");
    EXPECT_EQ(o.unix_path, "/run/my redis/redis.sock");
    EXPECT_EQ(o.database, 5);
    EXPECT_EQ(o.username, "user");
    EXPECT_EQ(o.password, "pass");
    EXPECT_EQ(o.request_timeout, 1s);
  }
  EXPECT_EQ(parse_url("redis+unix:///tmp/r.sock").database, 0);
}

TEST(redis_url, timeout_is_in_seconds) {
  EXPECT_EQ(parse_url("redis://host?timeout=2.5").request_timeout, 2500ms);
  EXPECT_EQ(parse_url("redis://host/0?timeout=0.001").request_timeout, 1ms);
}

std::string hosts_of(const connection_options& o) {
  std::string all;
  for (const auto& each : o.sentinel.hosts) all += each.host + " " + each.port + ", ";
  return all;
}

TEST(redis_url, sentinels_are_a_list_of_hosts) {
  const auto o = parse_url("redis+sentinel://ann:s3cr%2Ct@one,two:5000,[::1],[fe80::2]:5001/3?timeout=2");
  EXPECT_EQ(hosts_of(o), "one 26379, two 5000, ::1 26379, fe80::2 5001, ");
  EXPECT_EQ(o.sentinel.master, "mymaster");
  EXPECT_EQ(o.sentinel.username, "");
  EXPECT_EQ(o.sentinel.password, "");
  EXPECT_FALSE(o.sentinel.tls);
  EXPECT_FALSE(o.tls);
  EXPECT_EQ(o.username, "ann");
  EXPECT_EQ(o.password, "s3cr,t");
  EXPECT_EQ(o.database, 3);
  EXPECT_EQ(o.request_timeout, 2s);
  EXPECT_EQ(hosts_of(parse_url("redis+sentinel://alone")), "alone 26379, ");
  EXPECT_EQ(hosts_of(parse_url("redis://host")), "");
}

TEST(redis_url, sentinels_have_a_master_and_accounts_of_their_own) {
  const auto o =
      parse_url("redis+sentinel://:of-master@h?master=jobs&sentinel_user=bob&sentinel_password=a%26b%40c");
  EXPECT_EQ(o.sentinel.master, "jobs");
  EXPECT_EQ(o.sentinel.username, "bob");
  EXPECT_EQ(o.sentinel.password, "a&b@c");
  EXPECT_EQ(o.password, "of-master");
  EXPECT_EQ(parse_url("redis+sentinel://h?sentinel_password=x").sentinel.password, "x");
}

TEST(redis_url, tls_is_for_the_sentinels_too_unless_they_say_otherwise) {
  const auto both = parse_url("rediss+sentinel://h?tls_ca=ca.pem&tls_verify=no");
  EXPECT_TRUE(both.tls);
  EXPECT_TRUE(both.sentinel.tls);
  EXPECT_EQ(both.tls_ca_file, "ca.pem");
  EXPECT_FALSE(both.tls_verify);
  const auto master_only = parse_url("rediss+sentinel://h?sentinel_tls=no");
  EXPECT_TRUE(master_only.tls);
  EXPECT_FALSE(master_only.sentinel.tls);
  // The order of parameters means nothing.
  const auto sentinels_only = parse_url("redis+sentinel://h?tls_ca=ca.pem&sentinel_tls=yes");
  EXPECT_FALSE(sentinels_only.tls);
  EXPECT_TRUE(sentinels_only.sentinel.tls);
}

TEST(redis_url, a_wrong_part_is_named) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases{
      {"http://host",
       "the scheme is \"http\"; known are redis, rediss, redis+unix, unix, redis+sentinel and "
       "rediss+sentinel"},
      {"redis:host", "after the scheme there must be ://"},
      {"redis://host:0", "the port is 0"},
      {"redis://127.0.0.1:notaport", "the port is \"notaport\"; it must be a number from 0 to 65535"},
      {"redis://host:12x/3", "the port is \"12x\"; it must be a number from 0 to 65535"},
      {"redis://host:65536", "the port is \"65536\"; it must be a number from 0 to 65535"},
      {"redis://host/abc", "the database is \"abc\"; it must be a number from 0 to 1000000"},
      {"redis://host/-1", "the database is \"-1\"; it must be a number from 0 to 1000000"},
      {"redis://host/0/1", "the database is \"0/1\"; it must be a number from 0 to 1000000"},
      {"redis://host?retries=3",
       "the parameter \"retries\" is unknown; known are timeout, and for rediss:// tls_ca and tls_verify"},
      {"redis://host?db=3",
       "the parameter \"db\" is unknown; known are timeout, and for rediss:// tls_ca and tls_verify"},
      {"redis+unix:///s?x=1", "the parameter \"x\" is unknown; known are timeout, db"},
      {"redis://host?timeout=1&timeout=2", "the parameter \"timeout\" stands there twice"},
      {"redis://host?timeout=soon",
       "the parameter \"timeout\" is \"soon\"; it must be a number of seconds, from 0.001 to 1000000"},
      {"redis://host?timeout=-1",
       "the parameter \"timeout\" is \"-1\"; it must be a number of seconds, from 0.001 to 1000000"},
      {"redis://host?timeout=nan",
       "the parameter \"timeout\" is \"nan\"; it must be a number of seconds, from 0.001 to 1000000"},
      {"redis://host?tls_verify=no", "the parameter \"tls_verify\" is for rediss:// only"},
      {"rediss://host?tls_verify=maybe", "the parameter \"tls_verify\" is \"maybe\"; it must be yes or no"},
      {"rediss://host?tls_ca=", "the parameter \"tls_ca\" names no file"},
      {"redis://host/0#x", "it has a fragment (what follows #)"},
      {"redis+unix://run/redis.sock",
       "the socket's path must be absolute, with three slashes: redis+unix:///path/to.sock"},
      {"redis+unix:///", "the socket's path is missing"},
      {"redis://one,two:7000/0",
       "there are several hosts; a list of sentinels is written as redis+sentinel:// or rediss+sentinel://"},
      {"redis://one:1,two:2",
       "there are several hosts; a list of sentinels is written as redis+sentinel:// or rediss+sentinel://"},
      {"redis+sentinel:h", "after the scheme there must be ://"},
      {"redis+sentinel://", "in the list of sentinels there is an empty host"},
      {"redis+sentinel:///0", "in the list of sentinels there is an empty host"},
      {"redis+sentinel://one,,two", "in the list of sentinels there is an empty host"},
      {"redis+sentinel://one,", "in the list of sentinels there is an empty host"},
      {"redis+sentinel://one,:26379", "in the list of sentinels there is an empty host"},
      {"redis+sentinel://one,two:x", "in the list of sentinels \"two:x\" is no host and port"},
      {"redis+sentinel://one,two:1x", "in the list of sentinels \"two:1x\" is no host and port"},
      {"redis+sentinel://one:1,two:0", "the port is 0"},
      {"redis+sentinel://one:65536,two", "the port is \"65536\"; it must be a number from 0 to 65535"},
      {"redis+sentinel://h/jobs/0", "the database is \"jobs/0\"; it must be a number from 0 to 1000000"},
      {"redis+sentinel://h?master=", "the parameter \"master\" is empty"},
      {"redis+sentinel://h?sentinel_user=", "the parameter \"sentinel_user\" is empty"},
      {"redis+sentinel://h?sentinel_user=ann", "there is a sentinel_user without a sentinel_password"},
      {"redis+sentinel://h?sentinel_tls=maybe",
       "the parameter \"sentinel_tls\" is \"maybe\"; it must be yes or no"},
      {"redis+sentinel://h?tls_ca=x",
       "the parameter \"tls_ca\" is for rediss+sentinel:// or sentinel_tls=yes only"},
      {"redis+sentinel://h?db=3",
       "the parameter \"db\" is unknown; known are timeout, master, sentinel_user, sentinel_password, "
       "sentinel_tls, and for rediss+sentinel:// or sentinel_tls=yes tls_ca and tls_verify"},
      {"redis://h?master=m", "the parameter \"master\" is for redis+sentinel:// or rediss+sentinel:// only"},
      {"rediss://h?sentinel_tls=no",
       "the parameter \"sentinel_tls\" is for redis+sentinel:// or rediss+sentinel:// only"},
      {"redis://h?sentinel_x=1",
       "the parameter \"sentinel_x\" is unknown; known are timeout, and for rediss:// tls_ca and tls_verify"},
  };
  for (const auto& [url, why] : cases) {
    EXPECT_EQ(url_error(url),
              "the Redis URL \"" + std::string(url) + "\" can't be used: " + std::string(why));
  }
  EXPECT_EQ(url_error("redis+unix:///" + std::string(107, 'x')).substr(136),
            "\" can't be used: the socket's path is longer than 107 bytes");
  EXPECT_NE(url_error("").find("it is not a URL"), std::string::npos);
  EXPECT_NE(url_error("localhost:6379").find("can't be used"), std::string::npos);
}

TEST(redis_url, no_error_shows_the_password) {
  for (const std::string url :
       {"redis://user:hunter2@host/abc",
        "redis://:hunter2@host?x=1",
        "redis://user:hunter2@ho st",
        "redis://:hun/ter2@host:x",
        "redis://hunter2@host",
        "redis://hunter2@host:6379/1",
        "rediss://hun/ter2@host",
        "redis+sentinel://hunter2@one:1,two",
        "redis://host?password=hunter2",
        "redis://:hunter2#@host",
        "redis+unix://:hunter2@/s?y=1",
        "http://:hunter2@host",
        "redis://:a@hunter2@host",
        "redis://:hun?ter2@host",
        "redis://:12/hunter2@host",
        "unix://:hun/ter2@/s",
        "unix://:hun?ter2@/s",
        "redis://:hunter2@host:99999",
        "redis+sentinel://:hunter2@one,two:x",
        "redis://:hunter2@one,two",
        "redis+sentinel://:hun/ter2@one,two:1",
        "redis+sentinel://:12/hunter2@one",
        "redis://:hun,/ter2@host",
        "redis+sentinel://one:1?sentinel_password=hunter2&x=1",
        "redis://h?sentinel_password=hunter2",
        "redis+sentinel://one:1?sentinel_password=hun@ter2",
        "redis+sentinel://one?sentinel_password=hun#ter2",
        "redis+sentinel://one?sentinel_password=hun&ter2",
        "redis+sentinel://h?sentinel_password=hun&=ter2",
        "redis+sentinel://one?sentinel_password=%hunter2",
        "redis+sentinel://one?x=1&sentinel_password=hunter2",
        "redis+sentinel://a:hunter2@b?sentinel_password=hunter2&sentinel_password=hunter2"}) {
    const auto text = url_error(url);
    EXPECT_NE(text, "no error") << url;
    EXPECT_EQ(text.find("ter2"), std::string::npos) << text;
  }
  EXPECT_EQ(url_error("redis://user:hunter2@host/abc").substr(0, 45),
            "the Redis URL \"redis://user:***@host/abc\" can");
  EXPECT_EQ(without_password("redis+sentinel://u:a@b,c:1/2?sentinel_password=s&master=m&timeout=1"),
            "redis+sentinel://u:***@b,c:1/2?sentinel_password=***&master=m&timeout=1");
}

TEST(redis_url, what_holds_no_password_is_shown) {
  for (const std::string url : {"redis://host:6379/1?timeout=3", "redis+unix:///tmp/a@b.sock"}) {
    EXPECT_EQ(without_password(url), url);
  }
  EXPECT_EQ(without_password("redis://secret@host:6379/1"), "redis://***@host:6379/1");
}

TEST(redis_url, a_password_that_is_not_encoded_is_explained) {
  for (const std::string url : {"redis://:pa/ss@host/0", "redis://:pa#ss@host", "redis://:12?ss@host"}) {
    EXPECT_NE(url_error(url).find("%40 %2F %3F %23"), std::string::npos) << url_error(url);
  }
}

TEST(redis_url, a_user_without_a_password_is_refused) {
  EXPECT_NE(url_error("redis://user@host").find("a user name without a password"), std::string::npos);
}

}  // namespace
}  // namespace quarq::redis
