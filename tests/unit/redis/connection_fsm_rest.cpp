// How a connection that nobody needs leaves its loop nothing to do.
#include <chrono>

#include "redis/connection_fsm.hpp"
#include "unit/redis/fsm_table.hpp"

namespace quarq::redis {
namespace {

using namespace std::chrono_literals;

class redis_connection_fsm_rest : public redis_connection_fsm {
 protected:
  redis_connection_fsm_rest() {
    connection_options o;
    o.rests_when_idle = true;
    make(o);
  }
  event expect_messages(bool on) {
    return [=, this] { fsm->expect_messages(on, now); };
  }
  void subscribe_and_serve() {
    serve();
    expect({{subscribe("c"), serving, ""},
            {submit_subscribe("c"), serving, "flush"},
            {flushed(), serving, "write SUBSCRIBE c"},
            {written(), serving, ""},
            {replied(push("subscribe", "c")), serving, "c: "}});
  }
};

TEST_F(redis_connection_fsm_rest, it_rests_when_nobody_waits_and_wakes_for_a_request) {
  serve();
  expect({{after(connection_fsm::rest_after), serving, "rest"}});
  EXPECT_EQ(time_left(), std::nullopt);
  expect({{submit("a"), serving, "wake; flush"},
          {flushed(), serving, "write a"},
          {written(), serving, ""},
          {replied("1"), serving, "a: 1"},
          {after(connection_fsm::rest_after), serving, "rest"}});
}

TEST_F(redis_connection_fsm_rest, it_does_not_rest_while_requests_follow_each_other) {
  serve();
  for (int i = 0; i < 10; ++i) {
    expect({{after(connection_fsm::rest_after - 1ms), serving, ""},
            {submit("a"), serving, "flush"},
            {flushed(), serving, "write a"},
            {written(), serving, ""},
            {replied("1"), serving, "a: 1"}});
  }
  expect({{after(connection_fsm::rest_after), serving, "rest"}});
}

TEST_F(redis_connection_fsm_rest, it_does_not_rest_before_its_last_reply) {
  serve();
  expect({{submit("a"), serving, "flush"},
          {flushed(), serving, "write a"},
          {written(), serving, ""},
          {cancel("a"), serving, "a fails: aborted"},
          {after(1s), serving, ""},
          {replied("1"), serving, ""},
          {after(connection_fsm::rest_after), serving, "rest"}});
}

TEST_F(redis_connection_fsm_rest,
       subscriptions_alone_do_not_keep_it_awake_but_those_who_wait_for_messages_do) {
  subscribe_and_serve();
  expect({{expect_messages(true), serving, ""},
          {after(1s), serving, ""},
          {after(1500ms), serving, "flush"},
          {flushed(), serving, "write PING"},
          {written(), serving, ""},
          {replied("PONG"), serving, ""},
          {expect_messages(false), serving, ""},
          {after(connection_fsm::rest_after), serving, "rest"}});
  EXPECT_EQ(time_left(), std::nullopt);
  expect({{expect_messages(true), serving, "wake"}});
  EXPECT_TRUE(time_left());
}

TEST_F(redis_connection_fsm_rest, a_connection_that_was_lost_meanwhile_is_made_again_without_a_word) {
  serve();
  expect({{after(connection_fsm::rest_after), serving, "rest"},
          {after(10min), serving, ""},
          {submit("a"), serving, "wake; flush"},
          {flushed(), serving, "write a"},
          {received(), serving, ""},  // the kernel took the bytes
          {written(), serving, ""},
          {lost("the server closed the connection"), connecting, "connect"}});
  EXPECT_TRUE(time_left());
  serve_again();
  expect({{written(), serving, ""}, {replied("1"), serving, "a: 1"}});
}

TEST_F(redis_connection_fsm_rest, a_lost_connection_is_not_made_again_for_nobody) {
  subscribe_and_serve();
  expect({{lost("reset"), backing_off, outage("reset")}, {after(connection_fsm::rest_after), idle, "rest"}});
  EXPECT_EQ(time_left(), std::nullopt);
  expect({{expect_messages(true), connecting, "connect"}});
}

TEST_F(redis_connection_fsm_rest, it_may_be_closed_at_rest) {
  serve();
  expect({{after(connection_fsm::rest_after), serving, "rest"}, {close(), closed, "disconnect: closed"}});
}

}  // namespace
}  // namespace quarq::redis
