// The state machine of a WebSocket with a clock of the test's: pings, silence, back-pressure, closing.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/websocket/connection_fsm.hpp"
#include "support/websocket_frames.hpp"

namespace quarq::http::ws {
namespace {

using phase = connection_fsm::phase;
using namespace std::chrono_literals;

// A server, and what its client sees of it.
class server {
 public:
  explicit server(settings how = {}) : fsm(how, now) {}

  void get(std::uint8_t first, std::string_view payload = {}) {
    auto bytes = test::frame_of(first, payload, true);
    fsm.on_data(bytes, now);
  }
  // All that it has to say, as frames: "81:text 8a:".
  std::string said() {
    std::string bytes;
    while (fsm.has_output()) {
      bytes += fsm.take_output();
      fsm.on_written();
    }
    std::string text;
    for (const auto& frame : test::take_frames(bytes)) {
      constexpr std::string_view digits = "0123456789abcdef";
      if (!text.empty()) text += ' ';
      text += digits[frame.first >> 4];
      text += digits[frame.first & 15];
      text += ':' + frame.payload;
    }
    return text;
  }
  void pass(std::chrono::milliseconds time) {
    now += time;
    if (fsm.deadline() && *fsm.deadline() <= now) fsm.on_deadline(now);
  }

  connection_fsm::time_point now{1h};
  connection_fsm fsm;
};

constexpr std::string_view code_1000 = "\x03\xe8";
const std::string said_1000 = "88:\x03\xe8";

TEST(websocket_connection, pings_are_answered_though_nobody_receives) {
  server s;
  s.get(0x81, "nobody takes this");
  s.get(0x89, "one");
  EXPECT_EQ(s.said(), "8a:one");
}

TEST(websocket_connection, a_silent_peer_gets_a_ping_and_then_counts_as_lost) {
  server s;
  s.pass(19s);
  EXPECT_EQ(s.said(), "");
  s.pass(1s);
  EXPECT_EQ(s.said(), "89:1");
  s.pass(20s);
  EXPECT_EQ(s.said(), "89:2");
  s.pass(20s);
  EXPECT_EQ(s.fsm.current(), phase::closing);
  EXPECT_EQ(s.said(), "88:\x03\xf3nothing came for 60 s");
  EXPECT_EQ(s.fsm.end().code, 1006);
  s.pass(5s);
  EXPECT_EQ(s.fsm.current(), phase::closed);
  EXPECT_EQ(s.fsm.end().code, 1006);
}

TEST(websocket_connection, any_byte_of_the_peer_counts_as_life) {
  server s;
  for (int i = 0; i < 10; ++i) {
    s.pass(19s);
    std::string half = i == 0 ? test::frame_of(0x82, std::string(100, 'x'), true).substr(0, 10) : "x";
    s.fsm.on_data(half, s.now);
  }
  EXPECT_EQ(s.said(), "");
  EXPECT_EQ(s.fsm.current(), phase::open);
}

TEST(websocket_connection, a_peer_that_is_not_read_is_not_blamed_for_silence) {
  server s;
  s.get(0x82, std::string(70'000, 'x'));
  EXPECT_FALSE(s.fsm.wants_read());
  EXPECT_FALSE(s.fsm.deadline());
  s.pass(10min);
  s.fsm.take_message(s.now);
  EXPECT_TRUE(s.fsm.wants_read());
  EXPECT_EQ(s.fsm.deadline(), s.now + 20s);
}

TEST(websocket_connection, pings_of_users_are_told_apart) {
  server s;
  const auto first = s.fsm.ping();
  const auto second = s.fsm.ping();
  EXPECT_EQ(s.said(), "89:1 89:2");
  s.get(0x8a, "unasked");
  s.get(0x8a, "3");
  EXPECT_LT(s.fsm.pongs_through(), first);
  s.get(0x8a, "1");
  EXPECT_EQ(s.fsm.pongs_through(), first);
  s.get(0x8a, "2");
  EXPECT_EQ(s.fsm.pongs_through(), second);
}

TEST(websocket_connection, close_waits_for_the_peers_close_frame) {
  server s;
  s.fsm.close(4000, "enough", s.now);
  EXPECT_EQ(s.said(),
            "88:\x0f\xa0"
            "enough");
  EXPECT_FALSE(s.fsm.has_finished());
  s.get(0x81, "on its way");
  s.get(0x89, "too");
  EXPECT_EQ(s.said(), "");
  EXPECT_FALSE(s.fsm.has_message());
  s.get(0x88, "\x0f\xa0");
  EXPECT_TRUE(s.fsm.has_finished());
  EXPECT_EQ(s.fsm.end().code, 4000);
  EXPECT_TRUE(s.fsm.ends_output());
  EXPECT_EQ(s.fsm.current(), phase::closing);
  s.fsm.on_end();
  EXPECT_EQ(s.fsm.current(), phase::closed);
}

// Beast #2999, #2647: one deadline, whatever the peer does or sends meanwhile.
TEST(websocket_connection, close_ends_by_its_deadline) {
  server s;
  s.fsm.close(1000, {}, s.now);
  for (int i = 0; i < 4; ++i) {
    s.pass(1s);
    s.get(0x82, "still talking");
  }
  EXPECT_EQ(s.fsm.current(), phase::closing);
  s.pass(1s);
  EXPECT_EQ(s.fsm.current(), phase::closed);
  EXPECT_EQ(s.fsm.end().code, 1006);
}

TEST(websocket_connection, the_peers_close_is_answered_and_what_came_before_can_be_taken) {
  server s;
  s.get(0x81, "last words");
  s.get(0x88, std::string(code_1000) + "bye");
  EXPECT_EQ(s.said(), said_1000);
  EXPECT_TRUE(s.fsm.is_over());
  EXPECT_EQ(s.fsm.end().reason, "bye");
  ASSERT_TRUE(s.fsm.has_message());
  EXPECT_EQ(s.fsm.take_message(s.now).data, "last words");
}

TEST(websocket_connection, the_close_frame_is_written_though_the_peer_has_ended_its_side) {
  server s;
  s.fsm.send("answer", true, s.now);
  s.get(0x88, code_1000);
  s.fsm.on_end();
  EXPECT_EQ(s.fsm.current(), phase::closing);
  EXPECT_EQ(s.said(), "81:answer " + said_1000);
  EXPECT_EQ(s.fsm.current(), phase::closed);
  EXPECT_EQ(s.fsm.end().code, 1000);
}

TEST(websocket_connection, a_client_leaves_it_to_the_server_to_end_the_connection) {
  connection_fsm client({.self = role::client}, {});
  auto bytes = test::frame_of(0x88, code_1000, false);
  client.on_data(bytes, {});
  client.take_output();
  client.on_written();
  EXPECT_FALSE(client.ends_output());
  EXPECT_TRUE(client.wants_read());
  client.on_end();
  EXPECT_EQ(client.current(), phase::closed);
}

TEST(websocket_connection, answers_to_what_came_before_a_fault_go_first) {
  server s;
  s.get(0x81, "good");
  s.get(0x83, "bad");
  EXPECT_EQ(s.fsm.current(), phase::open);
  s.fsm.send(s.fsm.take_message(s.now).data, true, s.now);
  s.fsm.on_reader_waits(s.now);
  EXPECT_EQ(s.said(),
            "81:good 88:\x03\xea"
            "a frame has a reserved opcode");
}

TEST(websocket_connection, a_fault_waits_for_nobody_beyond_the_deadline) {
  server s;
  s.get(0x81, "nobody takes this");
  s.get(0x83, "bad");
  s.pass(5s);
  EXPECT_EQ(s.fsm.current(), phase::closing);
  EXPECT_EQ(s.fsm.end().code, 1002);
  s.pass(5s);
  EXPECT_EQ(s.fsm.current(), phase::closed);
}

TEST(websocket_connection, a_lost_connection_is_1006) {
  server s;
  s.fsm.on_end();
  EXPECT_EQ(s.fsm.current(), phase::closed);
  EXPECT_EQ(s.fsm.end().code, 1006);
  server t;
  t.fsm.on_lost("reset by peer");
  EXPECT_EQ(t.fsm.end().reason, "reset by peer");
}

TEST(websocket_connection, above_the_mark_messages_wait_are_dropped_or_close) {
  const std::string large(70'000, 'x');
  for (const auto how : {overflow::wait, overflow::drop, overflow::close}) {
    server s({.when_full = how});
    EXPECT_EQ(s.fsm.send(large, false, s.now), connection_fsm::sent::queued);
    EXPECT_FALSE(s.fsm.has_room());
    const auto second = s.fsm.send("more", true, s.now);
    EXPECT_EQ(second,
              how == overflow::wait ? connection_fsm::sent::must_wait : connection_fsm::sent::dropped);
    EXPECT_EQ(s.fsm.current(), how == overflow::close ? phase::closing : phase::open);
    if (how == overflow::close) {
      EXPECT_EQ(s.fsm.end().code, 1008);
    }
    s.said();
    EXPECT_TRUE(s.fsm.has_room());
  }
}

TEST(websocket_connection, control_frames_pass_the_mark_but_pongs_do_not_pile_up) {
  server s;
  s.fsm.send(std::string(70'000, 'x'), false, s.now);
  const auto before = s.fsm.unsent();
  for (int i = 0; i < 1000; ++i) s.get(0x89, std::to_string(i));
  EXPECT_EQ(s.fsm.unsent(), before);
  const auto said = s.said();
  EXPECT_EQ(said.substr(said.size() - 7), " 8a:999");
  s.fsm.send(std::string(70'000, 'x'), false, s.now);
  s.fsm.ping();
  EXPECT_NE(s.said().find(" 89:1"), std::string::npos);
}

}  // namespace
}  // namespace quarq::http::ws
