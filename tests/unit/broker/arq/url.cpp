// What an arq:// URL says, and what is refused in it.
#include "broker/arq/url.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>

#include "broker/broker.hpp"

namespace quarq::broker::arq {

using namespace std::chrono_literals;

TEST(arq_url, says_all_that_is_to_be_known) {
  const auto s = parse_url(
      "arqs://ann:secret@example.org:7000/"
      "3?queue=mails&codec=msgpack&expires_extra=0.5&poll=0.02&tls_verify=no&health_check_interval=9&dead_"
      "jobs=5&"
      "dead_days=2");
  EXPECT_EQ(s.redis.host, "example.org");
  EXPECT_EQ(s.redis.port, "7000");
  EXPECT_EQ(s.redis.database, 3);
  EXPECT_EQ(s.redis.username, "ann");
  EXPECT_EQ(s.redis.password, "secret");
  EXPECT_TRUE(s.redis.tls);
  EXPECT_FALSE(s.redis.tls_verify);
  EXPECT_EQ(s.default_queue, "mails");
  EXPECT_TRUE(s.codec == arq_codec::msgpack);
  EXPECT_EQ(s.expires_extra, 500ms);
  EXPECT_EQ(s.poll, 20ms);
  EXPECT_EQ(s.health_check_interval, 9s);
  EXPECT_EQ(s.dead.jobs, 5u);
  EXPECT_EQ(s.dead.age, 48h);
}

TEST(arq_url, has_arqs_defaults) {
  const auto s = parse_url("arq://localhost");
  EXPECT_EQ(s.default_queue, "arq:queue");
  EXPECT_TRUE(s.codec == arq_codec::pickle);
  EXPECT_EQ(s.expires_extra, 24h);
  EXPECT_EQ(parse_url("arq+unix:///run/redis.sock?db=2").redis.unix_path, "/run/redis.sock");
}

TEST(arq_url, sentinels_and_arqs_own_parameters_go_together) {
  const auto s = parse_url("arqs+sentinel://:secret@one,two:7000/2?master=m&queue=mails");
  ASSERT_EQ(s.redis.sentinel.hosts.size(), 2u);
  EXPECT_EQ(s.redis.sentinel.hosts[1].port, "7000");
  EXPECT_EQ(s.redis.sentinel.master, "m");
  EXPECT_EQ(s.redis.database, 2);
  EXPECT_TRUE(s.redis.tls);
  EXPECT_EQ(s.default_queue, "mails");
  for (const auto* url : {"arq+sentinel://one", "arqs+sentinel://one", "rediss+sentinel://one"}) {
    EXPECT_NO_THROW(check_url(url)) << url;
  }
}

TEST(arq_url, what_is_wrong_is_named_without_the_password) {
  const std::pair<std::string, std::string> wrong[] = {
      {"arq://h?what=1", "what"},
      {"arq://h?codec=json", "codec"},
      {"arq://h?dead_jobs=0", "dead_jobs"},
      {"arq://h?dead_days=x", "dead_days"},
      {"arq://h?expires_extra=0", "expires_extra"},
      {"arq://h?expires_extra=-1", "expires_extra"},
      {"arq://h?poll=never", "poll"},
      {"arq://h?queue=", "queue"},
      {"arq://h?queue=arq:abort", "queue"},
      {"arq://h?health_check_key=", "health record"},
      {"arq://h?health_check_key=arq:abort", "arq:abort"},
      {"arq://h?queue=q&health_check_key=q", "health record"},
      {"arq://h?tls_verify=no", "arqs"},
      {"arq://h/x", "database"},
      {"arq://one,two", "arq+sentinel"},
      {"arq+sentinel://u:secret@one,two?sentinel_password=secret&what=1", "what"},
      {"arq://u:secret@h?codec=json", "codec"},
  };
  for (const auto& [url, part] : wrong) {
    try {
      check_url(url);
      ADD_FAILURE() << url << " was taken";
    } catch (const usage_error& e) {
      const std::string text = e.what();
      EXPECT_NE(text.find(part), std::string::npos) << text;
      EXPECT_NE(text.find("the arq URL"), std::string::npos) << text;
      EXPECT_EQ(text.find("secret"), std::string::npos) << text;
    }
  }
}

}  // namespace quarq::broker::arq
