// What becomes of requests and subscriptions while a connection comes and goes.
#include <chrono>

#include "redis/connection_fsm.hpp"
#include "unit/redis/fsm_table.hpp"

namespace quarq::redis {
namespace {

using namespace std::chrono_literals;

// ---- sending and replies

TEST_F(redis_connection_fsm, requests_of_one_turn_share_a_write_and_those_after_it_the_next) {
  serve();
  expect({{submit("a"), serving, "flush"},
          {submit("b"), serving, ""},
          {flushed(), serving, "write a | b"},
          {submit("c"), serving, "flush"},
          {flushed(), serving, ""},  // one write at a time
          {replied("1"), serving, "a: 1"},
          {written(), serving, "write c"},
          {written(), serving, ""},
          {replied("2"), serving, "b: 2"},
          {replied("3"), serving, "c: 3"},
          {flushed(), serving, ""}});
}

TEST_F(redis_connection_fsm, an_error_reply_fails_its_request_alone) {
  serve();
  expect({{submit("a"), serving, "flush"},
          {submit("b"), serving, ""},
          {flushed(), serving, "write a | b"},
          {replied(error_reply("WRONGTYPE no")), serving, "a fails: WRONGTYPE no"},
          {replied("2"), serving, "b: 2"}});
}

TEST_F(redis_connection_fsm, a_cancelled_request_is_not_sent_or_drops_its_reply) {
  serve();
  expect({{submit("a"), serving, "flush"},
          {submit("b"), serving, ""},
          {cancel("a"), serving, "a fails: aborted"},
          {cancel("a"), serving, ""},
          {flushed(), serving, "write b"},
          {cancel("b"), serving, "b fails: aborted"},
          {written(), serving, ""},
          {submit("c"), serving, "flush"},
          {flushed(), serving, "write c"},
          {replied("2"), serving, ""},
          {replied("3"), serving, "c: 3"}});
}

TEST_F(redis_connection_fsm, replies_out_of_step_end_the_connection) {
  serve();
  const std::string why = "the server sent a reply that nobody asked for";
  expect({{replied("?"), disconnecting, "disconnect: " + why},
          {lost("aborted"), backing_off, outage(why)},
          {after(25ms), connecting, "connect"}});
}

TEST_F(redis_connection_fsm, a_write_that_fails_ends_the_connection) {
  serve();
  expect({{submit("a"), serving, "flush"},
          {flushed(), serving, "write a"},
          {written("Broken pipe"), disconnecting, "disconnect: Broken pipe"},
          {lost("aborted"), backing_off, outage("Broken pipe")}});
}

// ---- a connection that is lost

TEST_F(redis_connection_fsm, requests_in_flight_are_sent_again_first) {
  serve();
  expect({{submit("a"), serving, "flush"},
          {submit("b"), serving, ""},
          {submit("c"), serving, ""},
          {flushed(), serving, "write a | b | c"},
          {replied("1"), serving, "a: 1"},
          {cancel("b"), serving, "b fails: aborted"},
          {submit("d"), serving, "flush"},
          {lost("reset"), backing_off, outage("reset")},
          {submit("e"), backing_off, ""},
          {flushed(), backing_off, ""},
          {after(25ms), connecting, "connect"},
          {connected(), handshaking, hello},
          {written(), handshaking, ""},
          {replied("OK"), handshaking, ""},
          {replied("OK"), serving, "reconnected; info: " + address + ": connected; write c | d | e"}});
}

TEST_F(redis_connection_fsm, a_read_only_server_gets_the_request_again_from_the_next_connection) {
  serve();
  expect({{submit("a"), serving, "flush"},
          {submit("b"), serving, ""},
          {flushed(), serving, "write a | b"},
          {replied(error_reply("READONLY You can't")), disconnecting, "disconnect: READONLY You can't"},
          {submit("c"), disconnecting, ""},
          {unsubscribe("none"), disconnecting, ""},
          {lost("aborted"), backing_off, outage("READONLY You can't")},
          {after(25ms), connecting, "connect"},
          {connected(), handshaking, hello},
          {written(), handshaking, ""},
          {replied("OK"), handshaking, ""},
          {replied("OK"), serving, "reconnected; info: " + address + ": connected; write b | a | c"}});
}

TEST_F(redis_connection_fsm, closing_fails_requests_in_flight) {
  serve();
  const auto fails = [this](const std::string& name) {
    return name + " fails: " + address + ": the connection was closed";
  };
  expect({{submit("sent"), serving, "flush"},
          {flushed(), serving, "write sent"},
          {submit("waiting"), serving, "flush"},
          {close(), closed, fails("sent") + "; " + fails("waiting") + "; disconnect: closed"},
          {flushed(), closed, ""},
          {written(), closed, ""},
          {lost("closed"), closed, ""}});
}

TEST_F(redis_connection_fsm, a_request_over_which_the_server_closes_each_connection_fails_alone) {
  serve();
  expect({{submit("large"), serving, "flush"},
          {submit("b"), serving, ""},
          {flushed(), serving, "write large | b"}});
  const std::string why =
      "large fails: " + address + ": the connection was lost 5 times over this request of 15 bytes: reset; ";
  for (const char* next : {"large | b", "large", "large", "large", "b"}) {
    lost("reset", 0)();
    EXPECT_EQ(take_actions().starts_with(why), next == std::string("b")) << next;
    after(0ms)();
    connected()();
    written()();
    replied("OK")();
    take_actions();
    replied("OK")();
    EXPECT_TRUE(take_actions().ends_with("; write " + std::string(next))) << next;
    written()();
  }
  expect({{replied("1"), serving, "b: 1"}});
}

// ---- the timeout of requests

TEST_F(redis_connection_fsm, requests_that_wait_too_long_fail_with_the_last_error) {
  const std::string why = " fails: " + address + ": no connection within 10 s: Connection refused";
  expect({{submit("a"), connecting, "connect"},
          {lost("Connection refused"), backing_off, outage("Connection refused")},
          {after(25ms), connecting, "connect"},
          {submit("b"), connecting, ""},
          {lost("Connection refused"), backing_off, ""},
          {after(50ms), connecting, "connect"},
          {lost("Connection refused", 0.99), backing_off, ""},
          {after(9920ms), connecting, "connect"},
          {after(5ms), connecting, "a" + why},
          {lost("Connection refused"), backing_off, ""}});
  EXPECT_EQ(time_left(), 25ms);
  expect({{after(25ms), backing_off, "b" + why}});
}

TEST_F(redis_connection_fsm, requests_that_expire_within_ten_milliseconds_do_so_together) {
  make_with_sentinels();
  progress.search = "asking";
  const std::string why = " fails: " + sentinels + ": no connection within 10 s: asking";
  expect({{submit("a"), resolving, "connect"}});
  now += 1ms;
  expect({{submit("b"), resolving, ""}});
  now += 4ms;
  expect({{submit("c"), resolving, ""}, {after(9995ms), resolving, "a" + why}});
  EXPECT_EQ(time_left(), 10ms);
  expect({{after(9ms), resolving, ""}, {after(1ms), resolving, "b" + why + "; c" + why}});
  EXPECT_EQ(time_left(), std::nullopt);
}

TEST_F(redis_connection_fsm, before_the_first_error_a_request_fails_with_what_is_still_going_on) {
  connection_options o;
  o.request_timeout = 300ms;
  make(o);
  progress.step = "waiting for the TLS handshake";
  expect({{submit("a"), connecting, "connect"},
          {after(300ms), connecting,
           "a fails: " + address + ": no connection within 0.300 s: still waiting for the TLS handshake"},
          {submit("b"), connecting, ""}});
  progress.search = "the sentinel at s:2: still connecting";
  expect({{after(300ms), connecting,
           "b fails: " + address + ": no connection within 0.300 s: the sentinel at s:2: still connecting"}});
}

TEST_F(redis_connection_fsm, requests_without_a_timeout_wait_for_as_long_as_it_takes) {
  connection_options o;
  o.request_timeout.reset();
  make(o);
  expect({{submit("a"), connecting, "connect"}});
  for (int i = 0; i < 100; ++i) {
    lost("Connection refused")();
    after(2s)();
  }
  EXPECT_EQ(take_actions().find("a fails"), std::string::npos);
}

TEST_F(redis_connection_fsm, a_request_that_was_sent_waits_for_its_reply_without_limit) {
  serve();
  expect({{submit("a"), serving, "flush"}, {flushed(), serving, "write a"}, {written(), serving, ""}});
  for (int i = 0; i < 100; ++i) {
    received()();
    expect({{after(1s), serving, ""}});
  }
  expect({{replied("1"), serving, "a: 1"}});
}

// ---- scripts

TEST_F(redis_connection_fsm, a_script_that_the_server_has_forgotten_is_loaded_up_to_three_times) {
  serve();
  const std::string evalsha = "EVALSHA " + script_.sha1 + " 0";
  expect({{submit_script("s"), serving, "flush"},
          {flushed(), serving, "write " + evalsha},
          {written(), serving, ""}});
  for (int i = 0; i < connection_fsm::max_script_loads; ++i) {
    expect({{replied(error_reply("NOSCRIPT No matching script.")), serving, "flush"},
            {flushed(), serving, "write SCRIPT LOAD return 1 | " + evalsha},
            {written(), serving, ""},
            {replied(script_.sha1), serving, ""}});
  }
  expect({{replied(error_reply("NOSCRIPT No matching script.")), serving,
           "s fails: NOSCRIPT No matching script."}});
}

TEST_F(redis_connection_fsm,
       a_forgotten_script_is_loaded_once_for_all_who_need_it_and_they_keep_their_order) {
  serve();
  const std::string evalsha = "EVALSHA " + script_.sha1 + " 0", unknown = "NOSCRIPT No matching script.";
  expect({{submit_script("s"), serving, "flush"},
          {submit_script("t"), serving, ""},
          {submit_script("u"), serving, ""},
          {flushed(), serving, "write " + evalsha + " | " + evalsha + " | " + evalsha},
          {written(), serving, ""},
          {submit("a"), serving, "flush"},
          {replied(error_reply(unknown)), serving, ""},
          {replied(error_reply(unknown)), serving, ""},
          {flushed(), serving, "write SCRIPT LOAD return 1 | " + evalsha + " | " + evalsha + " | a"},
          {written(), serving, ""},
          {replied(error_reply(unknown)), serving, "flush"},
          {flushed(), serving, "write " + evalsha},
          {written(), serving, ""},
          {replied(script_.sha1), serving, ""},
          {replied("1"), serving, "s: 1"},
          {replied("2"), serving, "t: 2"},
          {replied("3"), serving, "a: 3"},
          {replied("4"), serving, "u: 4"}});
}

TEST_F(redis_connection_fsm, a_script_that_the_server_refuses_fails_with_its_words) {
  serve();
  const std::string evalsha = "EVALSHA " + script_.sha1 + " 0", unknown = "NOSCRIPT No matching script.";
  expect({{submit_script("s"), serving, "flush"},
          {flushed(), serving, "write " + evalsha},
          {written(), serving, ""},
          {replied(error_reply(unknown)), serving, "flush"},
          {flushed(), serving, "write SCRIPT LOAD return 1 | " + evalsha},
          {written(), serving, ""},
          {replied(error_reply("NOPERM no scripts")), serving, ""},
          {replied(error_reply(unknown)), serving, "s fails: SCRIPT LOAD was refused: NOPERM no scripts"}});
}

TEST_F(redis_connection_fsm, a_script_that_nobody_waits_for_is_not_loaded) {
  serve();
  expect({{submit_script("s"), serving, "flush"},
          {flushed(), serving, "write EVALSHA " + script_.sha1 + " 0"},
          {cancel("s"), serving, "s fails: aborted"},
          {replied(error_reply("NOSCRIPT No matching script.")), serving, ""}});
}

// ---- health

TEST_F(redis_connection_fsm, a_silent_server_is_asked_after_two_seconds_and_given_up_after_ten) {
  serve();
  expect({{submit("a"), serving, "flush"},
          {flushed(), serving, "write a"},
          {written(), serving, ""},
          {after(1999ms), serving, ""},
          {after(1ms), serving, "flush"},
          {flushed(), serving, "write PING"},
          {after(7999ms), serving, ""},
          {after(1ms), disconnecting, "disconnect: no answer for 10 s"},
          {lost("aborted"), backing_off, outage("no answer for 10 s")},
          {after(25ms), connecting,
           "a fails: " + address + ": no connection within 10 s: no answer for 10 s; connect"},
          {connected(), handshaking, hello},
          {written(), handshaking, ""},
          {replied("OK"), handshaking, ""},
          // Nobody waits for the PING.
          {replied("OK"), serving, "reconnected; info: " + address + ": connected"}});
}

TEST_F(redis_connection_fsm, bytes_of_a_server_are_a_sign_of_life) {
  serve();
  expect({{submit("a"), serving, "flush"}, {flushed(), serving, "write a"}, {written(), serving, ""}});
  now += 1500ms;
  received()();
  expect({{after(500ms), serving, ""}, {after(1499ms), serving, ""}, {after(1ms), serving, "flush"}});
}

TEST_F(redis_connection_fsm, a_large_write_on_its_way_over_a_slow_network_is_a_sign_of_life) {
  serve();
  expect({{submit("a"), serving, "flush"}, {flushed(), serving, "write a"}, {written(), serving, ""}});
  progress.unsent = 4'000'000;
  expect({{after(2s), serving, "flush"}, {flushed(), serving, "write PING"}, {written(), serving, ""}});
  for (int i = 0; i < 3; ++i) {
    progress.unsent -= 1'000'000;
    expect({{after(8s), serving, ""},
            {after(2s), serving, "flush"},
            {flushed(), serving, "write PING"},
            {written(), serving, ""}});
  }
  expect({{after(8s), disconnecting, "disconnect: no answer for 10 s"}});
}

TEST_F(redis_connection_fsm, nothing_is_expected_of_a_server_without_requests) {
  serve();
  expect({{after(2s), serving, ""}});
  EXPECT_EQ(time_left(), std::nullopt);
  expect({{after(1h), serving, ""},
          {submit("a"), serving, "flush"},
          {flushed(), serving, "write a"},
          {after(1999ms), serving, ""}});
}

TEST_F(redis_connection_fsm, a_subscriber_without_requests_notices_a_dead_server) {
  serve();
  expect({{subscribe("c"), serving, ""},
          {submit_subscribe("c"), serving, "flush"},
          {flushed(), serving, "write SUBSCRIBE c"},
          {written(), serving, ""},
          {replied(push("subscribe", "c")), serving, "c: "},
          {after(2s), serving, "flush"},
          {flushed(), serving, "write PING"},
          {after(8s), disconnecting, "disconnect: no answer for 10 s"}});
}

// ---- subscriptions

TEST_F(redis_connection_fsm, messages_are_passed_on) {
  serve();
  EXPECT_EQ(fsm->subscriber("c"), nullptr);
  subscribe("c")();
  EXPECT_NE(fsm->subscriber("c"), nullptr);
  expect({{submit("a"), serving, "flush"},
          {flushed(), serving, "write a"},
          {replied(push("message", "c", "hello")), serving, "message c: hello"},
          {replied(push("pmessage", "c", "?")), serving, ""},
          {replied("1"), serving, "a: 1"}});
}

TEST_F(redis_connection_fsm, the_handshake_subscribes_again) {
  serve();
  subscribe("kept")();
  subscribe("left")();
  expect({{lost("reset"), backing_off, outage("reset")},
          {unsubscribe("left"), backing_off, ""},
          {subscribe("changed"), backing_off, ""},
          {after(25ms), connecting, "connect"},
          {connected(), handshaking, hello + " | SUBSCRIBE changed | SUBSCRIBE kept"},
          {written(), handshaking, ""},
          {unsubscribe("changed"), handshaking, ""},
          {replied("OK"), handshaking, ""},
          {replied("OK"), handshaking, ""},
          {replied(push("subscribe", "changed")), handshaking, ""},
          {replied(push("message", "kept", "early")), handshaking, "message kept: early"},
          {replied(push("subscribe", "kept")), serving,
           "reconnected; info: " + address + ": connected; write UNSUBSCRIBE changed"},
          {replied(push("unsubscribe", "changed")), serving, ""}});
  EXPECT_EQ(time_left(), 2s) << "a subscriber's server is watched from the beginning";
}

TEST_F(redis_connection_fsm, a_confirmation_that_comes_too_late_is_undone) {
  serve();
  expect({{subscribe("c"), serving, ""},
          {submit_subscribe("c"), serving, "flush"},
          {flushed(), serving, "write SUBSCRIBE c"},
          {written(), serving, ""},
          {unsubscribe("c"), serving, "flush"},
          {replied(push("subscribe", "c")), serving, "c: "},
          {flushed(), serving, "write UNSUBSCRIBE c | UNSUBSCRIBE c"}});
}

TEST_F(redis_connection_fsm, an_error_to_a_subscription_is_its_own) {
  serve();
  expect({{subscribe("c"), serving, ""},
          {submit_subscribe("c"), serving, "flush"},
          {submit("a"), serving, ""},
          {flushed(), serving, "write SUBSCRIBE c | a"},
          {replied(error_reply("NOPERM no")), serving, "c fails: NOPERM no"},
          {replied("1"), serving, "a: 1"}});
}

}  // namespace
}  // namespace quarq::redis
