#include "redis/pipeline.hpp"

#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "unit/redis/replies.hpp"

namespace quarq::redis {
namespace {

using namespace std::chrono_literals;
const pipeline::clock::time_point epoch{};

class ignore_reply : public completion_handler {
 public:
  void complete(std::exception_ptr, reply) override {}
};

request_ptr awaited(std::string bytes) {
  auto r = std::make_shared<request>();
  r->bytes = std::move(bytes);
  r->handler = std::make_unique<ignore_reply>();
  return r;
}

reply reply_of(reply::kind type) {
  reply r;
  r.type = type;
  return r;
}

std::string gathered(pipeline& p) {
  std::string out;
  p.gather(out);
  return out;
}

TEST(redis_pipeline, all_waiting_requests_leave_together_and_replies_match_in_order) {
  pipeline p;
  const auto a = awaited("a"), b = awaited("b"), c = awaited("c");
  p.add(a);
  p.add(b);
  EXPECT_EQ(gathered(p), "ab");
  EXPECT_FALSE(p.has_waiting());
  p.add(c);
  EXPECT_EQ(gathered(p), "c");
  EXPECT_EQ(p.match(reply_of(reply::kind::text)), a);
  EXPECT_EQ(p.match(reply_of(reply::kind::error)), b);
  EXPECT_EQ(p.match(reply_of(reply::kind::nil)), c);
  EXPECT_FALSE(p.has_sent());
}

TEST(redis_pipeline, a_reply_that_nobody_asked_for_is_an_error) {
  pipeline p;
  EXPECT_THROW(p.match(reply_of(reply::kind::text)), protocol_error);
}

TEST(redis_pipeline, a_subscription_is_answered_by_a_confirmation_or_an_error) {
  pipeline p;
  const auto s = awaited("s"), u = awaited("u"), refused = awaited("r"), c = awaited("c");
  s->type = refused->type = request::kind::subscribe;
  u->type = request::kind::unsubscribe;
  for (const auto& r : {s, u, refused, c}) p.add(r);
  gathered(p);
  EXPECT_EQ(p.match(push("subscribe")), s);
  EXPECT_EQ(p.match(push("unsubscribe")), u);
  EXPECT_EQ(p.match(reply_of(reply::kind::error)), refused);
  EXPECT_THROW(p.match(push("subscribe")), protocol_error);

  pipeline out_of_step;
  out_of_step.add(s);
  gathered(out_of_step);
  EXPECT_THROW(out_of_step.match(reply_of(reply::kind::text)), protocol_error);
}

TEST(redis_pipeline, requests_without_a_reply_are_sent_again_first) {
  pipeline p;
  for (const char* name : {"a", "b", "c"}) p.add(awaited(name));
  gathered(p);
  p.match(reply_of(reply::kind::text));
  p.add(awaited("d"));
  p.requeue_sent();
  EXPECT_FALSE(p.has_sent());
  EXPECT_EQ(gathered(p), "bcd");
}

TEST(redis_pipeline, requests_that_nobody_waits_for_are_not_sent_again) {
  pipeline p;
  const auto a = awaited("a"), b = awaited("b"), c = awaited("c");
  p.add(a);
  p.add(b);
  gathered(p);
  p.add(c);
  p.abandon(a);
  p.abandon(c);
  p.requeue_sent();
  EXPECT_EQ(gathered(p), "b");
}

TEST(redis_pipeline, an_abandoned_request_still_takes_its_reply) {
  pipeline p;
  const auto a = awaited("a"), b = awaited("b");
  p.add(a);
  p.add(b);
  gathered(p);
  p.abandon(a);
  EXPECT_EQ(p.match(reply_of(reply::kind::text)), a);
  EXPECT_EQ(p.match(reply_of(reply::kind::text)), b);
}

TEST(redis_pipeline, only_waiting_requests_expire) {
  pipeline p;
  const auto sent = awaited("sent"), early = awaited("early"), late = awaited("late"),
             never = awaited("never");
  sent->deadline = early->deadline = epoch + 1s;
  late->deadline = epoch + 2s;
  p.add(sent);
  gathered(p);
  EXPECT_EQ(p.next_deadline(), std::nullopt);
  p.add(late);
  p.add(early);
  p.add(never);
  EXPECT_EQ(p.next_deadline(), epoch + 1s);
  EXPECT_TRUE(p.take_expired(epoch + 999ms).empty());
  EXPECT_EQ(p.take_expired(epoch + 1s), (std::vector<request_ptr>{early}));
  EXPECT_EQ(p.next_deadline(), epoch + 2s);
  p.requeue_sent();
  EXPECT_EQ(p.next_deadline(), epoch + 1s);
  EXPECT_EQ(p.take_waiting(), (std::vector<request_ptr>{sent, late, never}));
}

// ---- a request over which the connection is closed

TEST(redis_pipeline, a_request_that_cut_the_connection_twice_is_sent_alone) {
  pipeline p;
  const auto a = awaited("a"), b = awaited("b"), c = awaited("c");
  p.add(a);
  p.add(b);
  for (int cuts = 0; cuts < 2; ++cuts) {
    EXPECT_EQ(gathered(p), "ab");
    EXPECT_FALSE(p.holds_back());
    EXPECT_EQ(p.take_refused(), nullptr);
    p.requeue_sent();
  }
  EXPECT_EQ(gathered(p), "a");
  p.add(c);
  EXPECT_EQ(gathered(p), "");
  EXPECT_TRUE(p.holds_back());
  EXPECT_EQ(p.match(reply_of(reply::kind::text)), a);
  EXPECT_EQ(gathered(p), "bc");
  EXPECT_FALSE(p.holds_back());
}

TEST(redis_pipeline, a_request_that_goes_alone_waits_for_what_was_sent_before_it) {
  pipeline p;
  const auto before = awaited("b"), alone = awaited("a"), after = awaited("c");
  alone->cuts = pipeline::alone_after;
  p.add(before);
  EXPECT_EQ(gathered(p), "b");
  p.add(alone);
  p.add(after);
  EXPECT_EQ(gathered(p), "");
  EXPECT_EQ(p.match(reply_of(reply::kind::text)), before);
  EXPECT_EQ(gathered(p), "a");
  EXPECT_EQ(p.match(reply_of(reply::kind::text)), alone);
  EXPECT_EQ(gathered(p), "c");
}

TEST(redis_pipeline, a_request_that_cut_the_connection_five_times_is_refused_and_those_behind_it_are_not) {
  pipeline p;
  const auto a = awaited("a"), b = awaited("b");
  p.add(a);
  p.add(b);
  for (int cuts = 1; cuts < 5; ++cuts) {
    gathered(p);
    EXPECT_EQ(p.take_refused(), nullptr) << cuts;
    p.requeue_sent();
  }
  gathered(p);
  EXPECT_EQ(p.take_refused(), a);
  p.requeue_sent();
  EXPECT_EQ(gathered(p), "b");
  EXPECT_EQ(p.take_refused(), nullptr);
}

TEST(redis_pipeline, nobody_is_refused_who_does_not_wait) {
  pipeline p;
  EXPECT_EQ(p.take_refused(), nullptr);
  const auto ping = awaited("p"), subscription = awaited("s");
  ping->handler = nullptr;
  subscription->type = request::kind::subscribe;
  for (const auto& one : {ping, subscription}) {
    pipeline q;
    one->cuts = pipeline::max_cuts;
    q.add(one);
    gathered(q);
    EXPECT_EQ(q.take_refused(), nullptr);
  }
}

}  // namespace
}  // namespace quarq::redis
