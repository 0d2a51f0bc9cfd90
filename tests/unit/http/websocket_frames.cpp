// What a WebSocket answers to frames: a table over Autobahn's sections, in both roles, however the bytes are cut.
#include "support/websocket_frames.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/websocket/connection_fsm.hpp"
#include "support/http_table.hpp"

namespace quarq::http::ws {
namespace {

constexpr std::size_t largest_message = std::size_t{16} << 20;

settings echo_settings(role self, std::optional<compression> agreed = {}) {
  settings how;
  how.self = self;
  how.limits.message = largest_message;
  how.send_mark = 3 * largest_message;
  how.agreed = agreed;
  return how;
}

// An echo server or client, of which only the state machine is real.
class echo {
  connection_fsm::time_point now_{};

 public:
  explicit echo(const settings& how) : fsm(how, now_) {}

  void feed(std::string bytes) {
    fsm.on_data(bytes, now_);
    work();
  }
  void work() {
    while (fsm.has_message()) {
      const auto one = fsm.take_message(now_);
      if (fsm.current() == connection_fsm::phase::open) fsm.send(one.data, one.is_text, now_);
    }
    fsm.on_reader_waits(now_);
    while (fsm.has_output()) {
      sent += fsm.take_output();
      fsm.on_written();
    }
  }
  std::uint16_t close_code() const { return fsm.end().code; }

  connection_fsm fsm;
  std::string sent;
};

// The frames before the close frame, and that one's code.
struct answer {
  std::string frames;
  std::uint16_t code = 0;
};

answer answer_of(std::string bytes, role self) {
  answer found;
  for (const auto& frame : test::take_frames(bytes)) {
    EXPECT_EQ(frame.masked, self == role::client);
    EXPECT_EQ(found.code, 0) << "a frame after the close frame";
    if (frame.first != 0x88) {
      found.frames += test::frame_of(frame.first, frame.payload, false);
    } else if (frame.payload.empty()) {
      found.code = 1005;
    } else {
      found.code = static_cast<std::uint16_t>(static_cast<std::uint8_t>(frame.payload[0]) << 8 |
                                              static_cast<std::uint8_t>(frame.payload[1]));
    }
  }
  EXPECT_EQ(bytes, "") << "half a frame";
  return found;
}

enum class cut { pieces, bytes, at_random };

answer run(std::string_view sent, role self, cut how) {
  echo peer(echo_settings(self));
  std::minstd_rand random(7);
  auto left = sent;
  while (!left.empty()) {
    std::size_t size = std::size_t{16} << 10;
    if (how == cut::bytes) size = 1;
    if (how == cut::at_random) size = 1 + random() % (sent.size() > 100'000 ? 40'000 : 40);
    size = std::min(size, left.size());
    peer.feed(std::string(left.substr(0, size)));
    left.remove_prefix(size);
  }
  if (peer.fsm.current() == connection_fsm::phase::open) {
    peer.feed(test::frame_of(0x88, "\x03\xe8", self == role::server));
  }
  return answer_of(std::move(peer.sent), self);
}

void check(const std::vector<std::string>& row, role self) {
  const auto sent = test::frames_of(row[1], self == role::server);
  // What is large takes long, and differs by role in nothing.
  if (self == role::client && sent.size() > 300'000) return;
  for (const auto how : {cut::pieces, cut::at_random, cut::bytes}) {
    if (how == cut::bytes && sent.size() > 3'000) continue;
    if (how == cut::at_random && sent.size() > 300'000) continue;
    const auto got = run(sent, self, how);
    EXPECT_EQ(std::to_string(got.code), row[3]);
    if (row[2] == "?") continue;
    const auto expected = test::frames_of(row[2], false);
    EXPECT_TRUE(got.frames == expected) << "cut " << static_cast<int>(how) << ": got " << got.frames.size()
                                        << " bytes: " << got.frames.substr(0, 200);
  }
}

TEST(websocket_frames, each_of_the_table_is_answered_as_it_says_by_a_server) {
  const auto table = test::read_table("websocket.tsv");
  ASSERT_GT(table.size(), 300U);
  for (const auto& row : table) {
    SCOPED_TRACE(row[0]);
    ASSERT_EQ(row.size(), 4U);
    check(row, role::server);
  }
}

TEST(websocket_frames, each_of_the_table_is_answered_as_it_says_by_a_client) {
  for (const auto& row : test::read_table("websocket.tsv")) {
    SCOPED_TRACE(row[0]);
    check(row, role::client);
  }
}

TEST(websocket_frames, masking_goes_by_the_role) {
  echo server(echo_settings(role::server));
  server.feed(test::frame_of(0x81, "Hello", false));
  EXPECT_EQ(server.close_code(), 1002);
  echo client(echo_settings(role::client));
  client.feed(test::frame_of(0x81, "Hello", true));
  EXPECT_EQ(client.close_code(), 1002);
}

TEST(websocket_frames, each_frame_of_a_client_has_another_key) {
  frame_writer writer(role::client);
  std::string bytes;
  for (int i = 0; i < 1000; ++i) writer.append_message(bytes, "the same", true);
  std::set<std::string> keys;
  for (const auto& frame : test::take_frames(bytes)) keys.insert(frame.key);
  EXPECT_GT(keys.size(), 990U);
}

TEST(websocket_frames, a_message_may_have_so_many_fragments_only) {
  auto how = echo_settings(role::client);
  how.limits.fragments = 10;
  echo enough(how);
  for (int i = 0; i < 10; ++i) enough.feed(test::frame_of(i == 0 ? 0x01 : i == 9 ? 0x80 : 0x00, "x", false));
  EXPECT_FALSE(enough.fsm.is_over());
  echo too_many(how);
  for (int i = 0; i < 11; ++i) too_many.feed(test::frame_of(i == 0 ? 0x01 : 0x00, "", false));
  EXPECT_EQ(too_many.close_code(), 1008);
}

// ---- compression

std::string text_of_size(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i)
    text += "{\"id\": " + std::to_string(i) + ", \"name\": \"\xc3\xa4hnlich\"}, ";
  while (text.size() > size) text.pop_back();
  while (!text.empty() && (text.back() & '\x80')) text.pop_back();
  return text;
}

// Autobahn's sections 12 and 13: messages of many sizes, fragmented or not, with windows of all sizes.
TEST(websocket_frames, compressed_messages_come_back) {
  const frame_writer client(role::client, compression{});
  for (const int bits : {9, 12, 15}) {
    echo server(echo_settings(role::server, compression{bits}));
    frame_reader reader(role::client, {largest_message, 100}, compression{});
    for (const std::size_t size : {0, 1, 16, 64, 256, 1024, 4096, 8192, 65536, 131072}) {
      const auto text = text_of_size(size);
      std::string bytes;
      client.append_message(bytes, text, size % 2 == 0);
      server.feed(bytes);
      ASSERT_FALSE(server.fsm.is_over()) << server.fsm.end().reason;
      if (size >= 256) {
        EXPECT_LT(server.sent.size(), size);
      }
      const auto step = reader.feed(server.sent);
      ASSERT_EQ(step.event, read_event::message) << size;
      EXPECT_EQ(step.used, server.sent.size());
      EXPECT_EQ(reader.take_message(), text);
      server.sent.clear();
    }
  }
}

TEST(websocket_frames, a_compressed_message_may_come_in_fragments) {
  std::string compressed;
  const auto text = text_of_size(20'000);
  deflate_message(text, 15, compressed);
  for (const std::size_t fragment : {1, 7, 256, 1024}) {
    frame_reader reader(role::client, {}, compression{});
    std::string bytes;
    for (std::size_t at = 0; at < compressed.size(); at += fragment) {
      const int first = (at == 0 ? 0x41 : 0) | (at + fragment >= compressed.size() ? 0x80 : 0);
      bytes += test::frame_of(static_cast<std::uint8_t>(first),
                              std::string_view(compressed).substr(at, fragment), false);
    }
    ASSERT_EQ(reader.feed(bytes).event, read_event::message);
    EXPECT_EQ(reader.take_message(), text);
  }
}

std::uint16_t fault_of_compressed(std::string_view payload, std::size_t max = 1000) {
  frame_reader reader(role::client, {max, 10}, compression{});
  auto bytes = test::frame_of(0xc1, payload, false);
  return reader.feed(bytes).event == read_event::failed ? reader.failure().code : std::uint16_t{0};
}

// RFC 7692, 7.2.3: one block, no compression, a last block, and an empty message.
TEST(websocket_frames, the_examples_of_rfc_7692_are_read) {
  const std::string_view all[] = {{"\xf2\x48\xcd\xc9\xc9\x07\x00", 7},
                                  {"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11},
                                  {"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8},
                                  {"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13}};
  for (const auto payload : all) {
    std::string message;
    EXPECT_EQ(inflate_message(payload, 100, message), inflate_result::done);
    EXPECT_EQ(message, "Hello");
  }
  std::string nothing;
  EXPECT_EQ(inflate_message(std::string_view("\0", 1), 100, nothing), inflate_result::done);
  EXPECT_EQ(nothing, "");
}

TEST(websocket_frames, a_damaged_compressed_message_is_refused) {
  std::string compressed;
  deflate_message(text_of_size(500), 15, compressed);
  EXPECT_EQ(fault_of_compressed(compressed), 0);
  EXPECT_EQ(fault_of_compressed(std::string_view(compressed).substr(0, compressed.size() / 2)), 1007);
  EXPECT_EQ(fault_of_compressed("\xff\xff\xff"), 1007);
  EXPECT_EQ(fault_of_compressed(std::string_view("\xf3\x48\xcd\xc9\xc9\x07\x00\x00\x01\x02", 10)), 1007);
}

TEST(websocket_frames, a_message_that_inflates_beyond_the_limit_is_refused_at_the_limit) {
  std::string bomb;
  deflate_message(std::string(10'000'000, 'x'), 15, bomb);
  ASSERT_LT(bomb.size(), 20'000U);
  EXPECT_EQ(fault_of_compressed(bomb, 100'000), 1009);
  std::string inflated;
  EXPECT_EQ(inflate_message(bomb, 100'000, inflated), inflate_result::too_large);
  EXPECT_LT(inflated.size(), 150'000U);
  EXPECT_EQ(fault_of_compressed(std::string(5'000, '\0')), 1009);
}

TEST(websocket_frames, text_is_checked_after_inflating) {
  std::string compressed;
  deflate_message("\xed\xa0\x80" + std::string(100, 'x'), 15, compressed);
  EXPECT_EQ(fault_of_compressed(compressed), 1007);
}

}  // namespace
}  // namespace quarq::http::ws
