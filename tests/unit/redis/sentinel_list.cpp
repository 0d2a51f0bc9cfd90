#include "redis/sentinel_list.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/redis/replies.hpp"

namespace quarq::redis {
namespace {

reply address(const std::string& host, const std::string& port) {
  reply r;
  r.type = reply::kind::array;
  r.items.push_back(text(host));
  r.items.push_back(text(port));
  return r;
}

const reply nil;

sentinel_list three() {
  sentinel_options o;
  o.hosts = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
  o.master = "jobs";
  return sentinel_list(o);
}

// Whom a search asks that nobody answers.
std::string row(sentinel_list& s) {
  std::string names;
  for (s.begin(); s.next();) {
    names += s.next()->host;
    s.failed("no", false);
  }
  return names;
}

TEST(redis_sentinel_list, are_asked_in_turn_and_once) {
  auto s = three();
  EXPECT_EQ(row(s), "abc");
  EXPECT_FALSE(s.found());
  EXPECT_EQ(row(s), "abc");
}

TEST(redis_sentinel_list, the_first_answer_ends_the_search) {
  auto s = three();
  s.begin();
  s.failed("Connection refused", false);
  EXPECT_TRUE(s.take(address("10.0.0.7", "6379")));
  EXPECT_EQ(s.next(), nullptr);
  EXPECT_TRUE(s.found());
  EXPECT_EQ(s.master().host, "10.0.0.7");
  EXPECT_EQ(s.master().port, "6379");
  EXPECT_EQ(s.asked().host, "b");
}

TEST(redis_sentinel_list, who_answered_is_asked_first_the_next_time) {
  auto s = three();
  s.begin();
  s.failed("no", false);
  s.take(address("m", "1"));
  EXPECT_EQ(row(s), "bca");
}

TEST(redis_sentinel_list, who_named_no_master_is_asked_last_the_next_time) {
  auto s = three();
  s.begin();
  s.take(address("m", "1"));
  s.distrust();
  EXPECT_EQ(row(s), "bca");
  // There is nobody to be blamed for it.
  s.distrust();
  EXPECT_EQ(row(s), "bca");
}

TEST(redis_sentinel_list, each_that_was_asked_give_up_next_is_explained) {
  auto s = three();
  s.begin();
  s.failed("Connection refused", false);
  EXPECT_FALSE(s.take(nil));
  EXPECT_FALSE(s.take(error_reply("NOAUTH Authentication required.")));
  EXPECT_EQ(s.next(), nullptr);
  EXPECT_EQ(
      s.errors(),
      "the sentinel at a:1: Connection refused; the sentinel at b:2 does not know a master named \"jobs\"; "
      "the sentinel at c:3: SENTINEL was refused: NOAUTH Authentication required.");
  s.begin();
  EXPECT_EQ(s.errors(), "");
}

TEST(redis_sentinel_list, only_if_all_refuse_is_it_is_permanent) {
  auto s = three();
  s.begin();
  s.take(nil);
  s.take(error_reply("ERR unknown command 'SENTINEL'"));
  s.failed("AUTH was refused", true);
  EXPECT_TRUE(s.all_permanent());
  s.begin();
  s.take(nil);
  s.failed("Connection refused", false);
  s.take(nil);
  EXPECT_FALSE(s.all_permanent());
  s.begin();
  s.take(nil);
  s.take(nil);
  s.take(error_reply("ERR max number of clients reached"));
  EXPECT_FALSE(s.all_permanent());
}

TEST(redis_sentinel_list, an_answer_that_is_no_address_is_no_answer) {
  const std::vector<reply> wrong{text("OK"),           address("", "1"),   address("m", "0"),
                                 address("m", "high"), address("m", "1x"), address("m", "65536")};
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
