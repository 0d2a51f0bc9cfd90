// Two state machines, the bytes between them and a clock, in random interleavings: whatever happens when, both end in
// time, a live peer learns the code, and no message is lost, doubled or changed.
#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/websocket/connection_fsm.hpp"
#include "support/how_many.hpp"
#include "support/websocket_frames.hpp"

namespace quarq::http::ws {
namespace {

using phase = connection_fsm::phase;
using time_point = connection_fsm::time_point;
using namespace std::chrono_literals;

constexpr std::size_t socket_buffer = 4096;

struct side {
  side(role self, std::optional<compression> agreed, time_point now) : fsm(settings_of(self, agreed), now) {}
  static settings settings_of(role self, std::optional<compression> agreed) {
    settings how;
    how.self = self;
    how.agreed = agreed;
    how.limits.message = 20'000;
    how.send_mark = 8'000;
    return how;
  }

  connection_fsm fsm;
  std::string writing;     // what the machine believes to be in flight
  std::string on_the_way;  // to the other side
  std::string all_written;
  bool has_ended_output = false;
  bool is_closed = false;
  bool other_saw_end = false;
  std::optional<time_point> closing_since;
  std::vector<message> sent;
  std::vector<message> received;
};

class interleaving {
 public:
  explicit interleaving(unsigned seed)
      : random_(seed),
        times_out_(chance(4)),
        sides_{{role::client, agreed(), now_}, {role::server, agreed_, now_}} {}

  void go() {
    const int steps = number(5, 120);
    for (int i = 0; i < steps && !HasFailure(); ++i) step();
    finish();
    check();
  }

 private:
  static bool HasFailure() { return ::testing::Test::HasFailure(); }
  int number(int from, int to) { return std::uniform_int_distribution<>(from, to)(random_); }
  bool chance(int one_in) { return number(1, one_in) == 1; }
  std::optional<compression> agreed() {
    if (chance(3)) agreed_ = compression{number(9, 15)};
    return agreed_;
  }
  side& any() { return sides_[static_cast<std::size_t>(number(0, 1))]; }
  side& other(side& of) { return &of == &sides_[0] ? sides_[1] : sides_[0]; }

  void step() {
    auto& one = any();
    switch (number(0, 11)) {
      case 0:
      case 1:
        return send(one);
      case 2:
        return take(one);
      case 3:
        return one.fsm.on_reader_waits(now_);
      case 4:
        if (one.fsm.current() == phase::open) one.fsm.ping();
        return;
      case 5:
        if (chance(8)) one.fsm.close(static_cast<std::uint16_t>(number(4000, 4999)), "because", now_);
        return;
      case 6:
        if (chance(60)) lose();
        return;
      case 7:
        if (!vanished_ && chance(60)) vanished_ = &one;
        return;
      case 8:
        return pass(chance(4) ? 20'000ms : std::chrono::milliseconds(number(0, 900)));
      default:
        write(one);
        return deliver(one, static_cast<std::size_t>(number(1, 5'000)));
    }
  }

  void send(side& from) {
    if (from.fsm.current() != phase::open) return;
    message one;
    one.is_text = chance(2);
    one.data = std::string(static_cast<std::size_t>(chance(10) ? number(0, 15'000) : number(0, 200)),
                           static_cast<char>('a' + number(0, 25)));
    if (from.fsm.send(one.data, one.is_text, now_) == connection_fsm::sent::queued) from.sent.push_back(one);
  }

  void take(side& at) {
    while (at.fsm.has_message()) at.received.push_back(at.fsm.take_message(now_));
    note(at);
  }

  // As a socket does: its buffer is small, and the machine hears only that all was written.
  void write(side& from) {
    if (&from == vanished_ || from.fsm.current() == phase::closed) return;
    if (from.writing.empty() && from.fsm.has_output()) {
      from.writing = from.fsm.take_output();
      from.all_written += from.writing;
    }
    const auto room = socket_buffer - std::min(socket_buffer, from.on_the_way.size());
    const auto size = std::min(room, from.writing.size());
    from.on_the_way += from.writing.substr(0, size);
    from.writing.erase(0, size);
    if (size > 0 && from.writing.empty()) from.fsm.on_written();
    if (from.fsm.ends_output()) from.has_ended_output = true;
    note(from);
  }

  void deliver(side& from, std::size_t max) {
    auto& to = other(from);
    if (&to == vanished_ || !to.fsm.wants_read()) return;
    if (from.fsm.current() == phase::closed) from.writing.clear();
    auto bytes = from.on_the_way.substr(0, max);
    from.on_the_way.erase(0, max);
    if (!bytes.empty()) {
      to.fsm.on_data(bytes, now_);
      progress_ = true;
    } else if ((from.has_ended_output || from.fsm.current() == phase::closed) && !from.other_saw_end &&
               from.writing.empty() && &from != vanished_) {
      from.other_saw_end = true;
      to.fsm.on_end();
      progress_ = true;
    }
    note(to);
  }

  void lose() {
    lost_ = true;
    for (auto& one : sides_) {
      one.fsm.on_lost("reset");
      note(one);
    }
  }

  void pass(std::chrono::milliseconds time) {
    if (!times_out_) {
      // Nobody is so slow that the other could take it for dead.
      for (auto& one : sides_) {
        if (one.closing_since) return;
      }
      settle();
    }
    const auto until = now_ + time;
    while (true) {
      side* due = nullptr;
      for (auto& one : sides_) {
        const auto at = one.fsm.deadline();
        if (&one != vanished_ && at && *at <= until && (!due || *at < *due->fsm.deadline())) due = &one;
      }
      if (!due) break;
      now_ = std::max(now_, *due->fsm.deadline());
      const auto before = due->fsm.deadline();
      due->fsm.on_deadline(now_);
      note(*due);
      ASSERT_NE(due->fsm.deadline(), before) << "a deadline that does not move";
      if (!times_out_) settle();
    }
    now_ = std::max(now_, until);
  }

  // Until nothing moves without the clock.
  void settle() {
    do {
      progress_ = false;
      for (auto& one : sides_) {
        take(one);
        one.fsm.on_reader_waits(now_);
        write(one);
        deliver(one, 3'000);
      }
    } while (progress_);
  }

  void note(side& one) {
    if (&one == vanished_) return;
    if (one.fsm.current() != phase::open && !one.closing_since) one.closing_since = now_;
    if (one.fsm.current() == phase::closed && !one.is_closed) {
      one.is_closed = true;
      EXPECT_LE(now_ - *one.closing_since, 5s);
    }
  }

  void finish() {
    for (auto& one : sides_) {
      if (&one != vanished_) one.fsm.close(1000, {}, now_);
      note(one);
    }
    settle();
    times_out_ = true;
    pass(5s);
    for (auto& one : sides_) {
      if (&one != vanished_) {
        EXPECT_EQ(one.fsm.current(), phase::closed);
      }
    }
  }

  void check() {
    for (auto& one : sides_) {
      auto& peer = other(one);
      take(one);
      ASSERT_LE(one.received.size(), peer.sent.size());
      for (std::size_t i = 0; i < one.received.size(); ++i) {
        ASSERT_EQ(one.received[i].data, peer.sent[i].data) << i;
        ASSERT_EQ(one.received[i].is_text, peer.sent[i].is_text) << i;
      }
      check_code(one);
    }
  }

  // Of all that `from` wrote, the close frame is the last, and its code is what the other side was told.
  void check_code(side& from) {
    std::string bytes = from.all_written;
    const auto frames = test::take_frames(bytes);
    const auto is_close = [](const test::seen_frame& frame) { return frame.first == 0x88; };
    const auto closes = std::count_if(frames.begin(), frames.end(), is_close);
    EXPECT_LE(closes, 1);
    if (closes == 1) {
      EXPECT_TRUE(is_close(frames.back()));
    }
    if (lost_ || vanished_ || had_timeouts_) return;
    ASSERT_EQ(closes, 1);
    const auto& payload = frames.back().payload;
    const int code = payload.size() < 2
                         ? 1005
                         : static_cast<std::uint8_t>(payload[0]) << 8 | static_cast<std::uint8_t>(payload[1]);
    EXPECT_EQ(other(from).fsm.end().code, code);
  }

  std::mt19937 random_;
  time_point now_{1h};
  bool times_out_;
  const bool had_timeouts_ = times_out_;
  std::optional<compression> agreed_;
  side sides_[2];
  side* vanished_ = nullptr;
  bool lost_ = false;
  bool progress_ = false;
};

// QUARQ_TEST_WEBSOCKET_RUNS=100000 is the whole of it.
TEST(websocket_random, all_interleavings_end_well) {
  const auto runs = static_cast<unsigned>(test::how_many("QUARQ_TEST_WEBSOCKET_RUNS", 2'000));
  for (unsigned seed = 1; seed <= runs; ++seed) {
    SCOPED_TRACE(seed);
    interleaving(seed).go();
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace quarq::http::ws
