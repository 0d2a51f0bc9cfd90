// The way of a connection from phase to phase.
#include "redis/connection_fsm.hpp"

#include <chrono>

#include "unit/redis/fsm_table.hpp"

namespace quarq::redis {
namespace {

using namespace std::chrono_literals;

// ---- idle

TEST_F(redis_connection_fsm, connects_for_the_first_request_and_serves_it) {
  EXPECT_EQ(time_left(), std::nullopt);
  serve();
  EXPECT_TRUE(fsm->expects_replies());
}

TEST_F(redis_connection_fsm, a_subscription_alone_is_nothing_to_connect_for) {
  expect({{subscribe("c"), idle, ""}, {unsubscribe("c"), idle, ""}, {close(), closed, "disconnect: closed"}});
}

TEST_F(redis_connection_fsm, requests_that_come_before_the_connection_share_its_first_write) {
  expect({{submit("a"), connecting, "connect"},
          {submit("b"), connecting, ""},
          {connected(), handshaking, hello},
          {submit("c"), handshaking, ""},
          {replied("OK"), handshaking, ""},
          {replied("OK"), serving, ""},  // the handshake is still being written
          {written(), serving, "write a | b | c"}});
}

// ---- resolving

TEST_F(redis_connection_fsm, asks_sentinels_for_the_master_first) {
  make_with_sentinels();
  expect({{submit("a"), resolving, "connect"},
          {submit("b"), resolving, ""},
          {after(9s), resolving, ""},  // each sentinel has a limit of its own
          {resolved(), connecting, ""},
          {connected(), handshaking, "write HELLO 3 | ROLE | CLIENT SETNAME quarq"},
          {replied("OK"), handshaking, ""},
          {replied(role("master")), handshaking, ""},
          {written(), handshaking, ""},
          {replied("OK"), serving, "write a | b"}});
}

TEST_F(redis_connection_fsm, a_failed_search_is_repeated_after_a_pause) {
  make_with_sentinels();
  const std::string why = "the sentinel at s:2: Connection refused";
  expect({{submit("a"), resolving, "connect"},
          {lost(why), backing_off, outage(why, sentinels)},
          {after(25ms), resolving, "connect"}});
}

TEST_F(redis_connection_fsm, a_permanent_error_of_all_sentinels_fails_the_requests) {
  make_with_sentinels();
  expect({{submit("a"), resolving, "connect"},
          {refused("no such master"), idle, "a fails: " + sentinels + ": no such master"},
          {submit("b"), resolving, "connect"},
          {close(), closed, "b fails: " + sentinels + ": the connection was closed; disconnect: closed"},
          {resolved(), closed, ""}});
}

TEST_F(redis_connection_fsm, a_sentinel_that_names_an_unusable_master_is_distrusted) {
  make_with_sentinels();
  const std::string who = "m:1 (the master, says the sentinel at s:2): ";
  expect({{submit("a"), resolving, "connect"},
          {resolved(), connecting, ""},
          {connected(), handshaking, "write HELLO 3 | ROLE | CLIENT SETNAME quarq"},
          {replied("OK"), handshaking, ""},
          {replied(role("slave")), disconnecting, "disconnect: it is a replica, not the master"},
          {lost("aborted"), backing_off,
           "distrust sentinel; " + outage(who + "it is a replica, not the master", sentinels)},
          {after(25ms), resolving, "connect"},
          {resolved(), connecting, ""},
          {lost("Connection refused"), backing_off, "distrust sentinel"},
          {after(50ms), resolving, "connect"},
          {resolved(), connecting, ""},
          {connected(), handshaking, "write HELLO 3 | ROLE | CLIENT SETNAME quarq"},
          {written(), handshaking, ""},
          {replied("OK"), handshaking, ""},
          {replied(role("master")), handshaking, ""},
          {replied("OK"), serving, "info: " + sentinels + ": connected to m:1; write a"},
          {lost("reset"), backing_off, outage(who + "reset", sentinels)}});
}

// ---- connecting

TEST_F(redis_connection_fsm, reports_an_outage_once) {
  expect({{submit("a"), connecting, "connect"},
          {lost("Connection refused"), backing_off, outage("Connection refused")},
          {after(25ms), connecting, "connect"},
          {lost("No route to host"), backing_off, ""},
          {after(50ms), connecting, "connect"},
          {connected(), handshaking, hello},
          {written(), handshaking, ""},
          {replied("OK"), handshaking, ""},
          {replied("OK"), serving, "info: " + address + ": connected; write a"},
          {lost("Connection refused"), backing_off, outage("Connection refused")}});
}

TEST_F(redis_connection_fsm, an_attempt_has_five_seconds_up_to_the_last_reply_of_the_handshake) {
  progress.step = "looking up the host";
  const std::string why = "gave up after 5 s of looking up the host";
  expect({{submit("a"), connecting, "connect"},
          {after(4999ms), connecting, ""},
          {after(1ms), disconnecting, "disconnect: " + why},
          // The lookup can't be interrupted.
          {after(1h), disconnecting,
           "a fails: " + address + ": no connection within 10 s: still looking up the host"},
          {connected(), disconnecting, ""},
          {submit("b"), disconnecting, ""},
          {lost("aborted"), backing_off, outage(why)},
          {after(25ms), connecting, "connect"},
          {after(3s), connecting, ""},
          {connected(), handshaking, hello},
          {after(2s), disconnecting, "disconnect: " + why},
          {lost("aborted"), backing_off, ""},
          {after(50ms), connecting, "connect"}});
}

TEST_F(redis_connection_fsm, with_sentinels_an_attempt_has_two_seconds_and_another_follows_at_once) {
  make_with_sentinels();
  progress.step = "waiting for the first answers";
  const std::string handshake = "write HELLO 3 | ROLE | CLIENT SETNAME quarq";
  const std::string why = "gave up after 2 s of waiting for the first answers";
  const std::string who = "m:1 (the master, says the sentinel at s:2): ";
  expect({{submit("a"), resolving, "connect"},
          {resolved(), connecting, ""},
          {connected(), handshaking, handshake},
          {after(1999ms), handshaking, ""},
          {after(1ms), disconnecting, "disconnect: " + why},
          {lost("aborted"), backing_off, "distrust sentinel; " + outage(who + why, sentinels)},
          {after(25ms), resolving, "connect"},
          {resolved(), connecting, ""},
          {connected(), handshaking, handshake},
          {after(2s), disconnecting, "disconnect: " + why},
          {lost("aborted"), backing_off, "distrust sentinel"},
          {after(25ms), resolving, "connect"}});
}

TEST_F(redis_connection_fsm, a_permanent_error_fails_what_waits_and_the_next_request_tries_again) {
  expect({{submit("a"), connecting, "connect"},
          {submit("b"), connecting, ""},
          {refused("certificate"), idle,
           "a fails: " + address + ": certificate; b fails: " + address + ": certificate"},
          {submit("c"), connecting, "connect"},
          {close(), closed, "c fails: " + address + ": the connection was closed; disconnect: closed"}});
}

TEST_F(redis_connection_fsm, after_a_permanent_error_subscriptions_wait_and_a_request_ends_the_pause) {
  expect({{subscribe("c"), idle, ""},
          {submit("a"), connecting, "connect"},
          {refused("certificate"), backing_off, "a fails: " + address + ": certificate"},
          {after(24ms), backing_off, ""},
          {submit("b"), connecting, "connect"},
          {refused("certificate"), backing_off, "b fails: " + address + ": certificate"},
          {after(50ms), connecting, "connect"}});
}

TEST_F(redis_connection_fsm, closing_while_connecting_ends_the_attempt) {
  expect({{submit("a"), connecting, "connect"},
          {close(), closed, "a fails: " + address + ": the connection was closed; disconnect: closed"},
          {connected(), closed, ""},
          {lost("closed"), closed, ""},
          {close(), closed, ""},
          {after(1h), closed, ""}});
  EXPECT_EQ(time_left(), std::nullopt);
}

// ---- handshaking

TEST_F(redis_connection_fsm, a_wrong_password_is_a_permanent_error) {
  const std::string why = "HELLO was refused: WRONGPASS";
  expect({{submit("a"), connecting, "connect"},
          {connected(), handshaking, hello},
          {replied(error_reply("WRONGPASS")), disconnecting, "disconnect: " + why},
          {lost("aborted"), idle, "a fails: " + address + ": " + why}});
}

TEST_F(redis_connection_fsm, a_server_that_is_loading_is_waited_for) {
  const std::string why = "HELLO was refused: LOADING data";
  expect({{submit("a"), connecting, "connect"},
          {connected(), handshaking, hello},
          {replied(error_reply("LOADING data")), disconnecting, "disconnect: " + why},
          {lost("aborted"), backing_off, outage(why)},
          {after(25ms), connecting, "connect"}});
}

TEST_F(redis_connection_fsm, a_handshake_ends_with_what_is_no_answer_or_can_not_be_written) {
  const std::string why = "the server did not answer HELLO as Redis does";
  expect({{submit("a"), connecting, "connect"},
          {connected(), handshaking, hello},
          {replied(push("subscribe")), disconnecting, "disconnect: " + why},
          {written("Broken pipe"), disconnecting, ""},
          {lost("aborted"), backing_off, outage(why)},
          {after(25ms), connecting, "connect"},
          {connected(), handshaking, hello},
          {written("Broken pipe"), disconnecting, "disconnect: Broken pipe"},
          {lost("aborted"), backing_off, ""},
          {after(50ms), connecting, "connect"},
          {connected(), handshaking, hello},
          {lost("the server closed the connection"), backing_off, ""}});
}

TEST_F(redis_connection_fsm, closing_during_the_handshake_fails_what_waits) {
  expect({{submit("a"), connecting, "connect"},
          {connected(), handshaking, hello},
          {close(), closed, "a fails: " + address + ": the connection was closed; disconnect: closed"},
          {written("aborted"), closed, ""},
          {lost("closed"), closed, ""}});
}

// ---- backing off

TEST_F(redis_connection_fsm, pauses_double_with_jitter_up_to_two_seconds) {
  fsm->submit(request_for("a", {"a"}), now);
  std::vector<milliseconds> pauses;
  for (int i = 0; i < 8; ++i) {
    lost("Connection refused", 0.9999999)();
    pauses.push_back(*time_left());
    after(pauses.back())();
    EXPECT_EQ(static_cast<int>(fsm->current()), static_cast<int>(connecting));
  }
  EXPECT_EQ(pauses, (std::vector<milliseconds>{50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 2000ms, 2000ms}));
  lost("Connection refused", 0)();
  EXPECT_EQ(time_left(), 0ms);
}

TEST_F(redis_connection_fsm, a_reply_or_two_seconds_of_service_begin_the_pauses_anew) {
  fsm->submit(request_for("a", {"a"}), now);
  for (const auto pause : {25ms, 50ms}) {
    lost("Connection refused")();
    EXPECT_EQ(time_left(), pause);
    after(pause)();
  }
  serve_again();
  lost("Connection refused")();
  EXPECT_EQ(time_left(), 100ms) << "it was there, but did nothing for us";
  after(100ms)();
  serve_again();
  received()();
  now += 2s;
  lost("Connection refused")();
  EXPECT_EQ(time_left(), 25ms);
  after(25ms)();
  serve_again();
  written()();
  replied("1")();
  lost("Connection refused")();
  EXPECT_EQ(time_left(), 25ms);
}

TEST_F(redis_connection_fsm, the_pause_does_not_end_for_a_request) {
  expect({{submit("a"), connecting, "connect"},
          {lost("Connection refused"), backing_off, outage("Connection refused")},
          {submit("b"), backing_off, ""},
          {cancel("a"), backing_off, "a fails: aborted"},
          {after(25ms), connecting, "connect"}});
}

TEST_F(redis_connection_fsm, closing_while_backing_off_fails_what_waits) {
  expect({{submit("a"), connecting, "connect"},
          {lost("Connection refused"), backing_off, outage("Connection refused")},
          {close(), closed, "a fails: " + address + ": the connection was closed; disconnect: closed"},
          {after(1h), closed, ""}});
}

// ---- closed

TEST_F(redis_connection_fsm, a_closed_connection_fails_each_request) {
  expect({{close(), closed, "disconnect: closed"},
          {submit("a"), closed, "a fails: " + address + ": the connection was closed"},
          {subscribe("c"), closed, ""},
          {unsubscribe("c"), closed, ""},
          {flushed(), closed, ""}});
}

TEST_F(redis_connection_fsm, the_end_of_the_loop_returns_all_that_users_own) {
  serve();
  subscribe("c")();
  submit("sent")();
  flushed()();
  take_actions();
  submit("waiting")();
  cancel("waiting")();
  submit("waiting too")();
  auto all = fsm->on_loop_destroyed();
  EXPECT_EQ(all.handlers.size(), 2u);
  EXPECT_EQ(all.subscriptions.size(), 1u);
  EXPECT_EQ(all.notifications.size(), 1u);  // the end of what was cancelled
  EXPECT_EQ(requests.at("sent")->handler, nullptr);
  expect({{close(), closed, ""}, {lost("aborted"), closed, ""}});
}

}  // namespace
}  // namespace quarq::redis
