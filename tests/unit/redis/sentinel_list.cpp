#include "redis/sentinel_list.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/redis/replies.hpp"

namespace quarq::redis {
namespace {

reply address_reply(const std::string& host, const std::string& port) {
  reply r;
  r.type = reply::kind::array;
  r.items.push_back(text(host));
  r.items.push_back(text(port));
  return r;
}

sentinel_list three() {
  sentinel_options o;
  o.hosts = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
  o.master = "jobs";
  return sentinel_list(o);
}

// The order in which a search asks sentinels that do not answer.
std::string order_of(sentinel_list& s) {
  std::string names;
  for (s.begin(); s.next();) {
    names += s.next()->host;
    s.failed("no", false);
  }
  return names;
}

TEST(redis_sentinel_list, are_asked_in_turn_once_each) {
  auto s = three();
  EXPECT_EQ(order_of(s), "abc");
  EXPECT_FALSE(s.found());
  EXPECT_EQ(order_of(s), "abc");
}

TEST(redis_sentinel_list, the_first_answer_ends_the_search) {
  auto s = three();
  s.begin();
  s.failed("Connection refused", false);
  EXPECT_TRUE(s.take(address_reply("10.0.0.7", "6379")));
  EXPECT_EQ(s.next(), nullptr);
  EXPECT_TRUE(s.found());
  EXPECT_EQ(s.master().host, "10.0.0.7");
  EXPECT_EQ(s.master().port, "6379");
  EXPECT_EQ(s.asked().host, "b");
}

TEST(redis_sentinel_list, the_one_that_answered_is_asked_first_the_next_time) {
  auto s = three();
  s.begin();
  s.failed("no", false);
  s.take(address_reply("m", "1"));
  EXPECT_EQ(order_of(s), "bca");
}

TEST(redis_sentinel_list, the_one_that_named_no_master_is_asked_last_the_next_time) {
  auto s = three();
  s.begin();
  s.take(address_reply("m", "1"));
  s.distrust();
  EXPECT_EQ(order_of(s), "bca");
  // No search has found a master since.
  s.distrust();
  EXPECT_EQ(order_of(s), "bca");
}

TEST(redis_sentinel_list, each_one_asked_without_success_is_explained) {
  auto s = three();
  s.begin();
  s.failed("Connection refused", false);
  EXPECT_FALSE(s.take(reply()));
  EXPECT_FALSE(s.take(error_reply("NOAUTH Authentication required.")));
  EXPECT_EQ(s.next(), nullptr);
  EXPECT_EQ(
      s.errors(),
      "the sentinel at a:1: Connection refused; the sentinel at b:2 does not know a master named \"jobs\"; "
      "the sentinel at c:3: SENTINEL was refused: NOAUTH: it wants a password of its own: add "
      "sentinel_password=PASSWORD to the URL");
  s.begin();
  EXPECT_EQ(s.errors(), "");
}

TEST(redis_sentinel_list, the_error_is_permanent_only_if_all_refuse) {
  auto s = three();
  s.begin();
  s.take(reply());
  s.take(error_reply("ERR unknown command 'SENTINEL'"));
  s.failed("AUTH was refused", true);
  EXPECT_TRUE(s.all_permanent());
  s.begin();
  s.take(reply());
  s.failed("Connection refused", false);
  s.take(reply());
  EXPECT_FALSE(s.all_permanent());
  s.begin();
  s.take(reply());
  s.take(reply());
  s.take(error_reply("ERR max number of clients reached"));
  EXPECT_FALSE(s.all_permanent());
}

TEST(redis_sentinel_list, an_answer_must_be_an_address) {
  const std::vector<reply> wrong{text("OK"),
                                 address_reply("", "1"),
                                 address_reply("m", "0"),
                                 address_reply("m", "high"),
                                 address_reply("m", "1x"),
                                 address_reply("m", "65536")};
  for (const auto& answer : wrong) {
    auto s = three();
    s.begin();
    EXPECT_FALSE(s.take(answer));
    EXPECT_EQ(s.errors(), "the sentinel at a:1: its answer is no address");
    EXPECT_EQ(s.next()->host, "b");
  }
}

}  // namespace
}  // namespace quarq::redis
