// Many WebSockets at a server on one thread. What opens them costs little, and runs on another processor.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "../stopwatch.hpp"
#include "bench.hpp"
#include "peers.hpp"
#include "raw_client.hpp"
#include "websocket_client.hpp"

namespace quarq::bench {
namespace {

constexpr const char* group = "websockets";
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t small_message = 100;
constexpr std::size_t large_message = std::size_t{64} << 10;

// All of the WebSockets that are open at one server.
class crowd {
 public:
  crowd(int port, int count) {
    for (int i = 0; i < count; ++i) {
      all_.emplace_back(port);
      ready_.add(all_.back().socket(), static_cast<std::uint32_t>(i));
      if (i % 64 == 63) take_what_came(milliseconds(0));
    }
    run_until([&] { return std::ranges::all_of(all_, &websocket_client::is_open); });
  }

  std::size_t size() const noexcept { return all_.size(); }
  websocket_client& at(std::size_t i) { return all_[i]; }
  std::uint64_t messages() const {
    std::uint64_t sum = 0;
    for (const auto& one : all_) sum += one.messages();
    return sum;
  }

  /// Reads what comes until `done`, which is asked after each round. `on_message` is called with the number of each
  /// that got one.
  void run_until(const std::function<bool()>& done, const std::function<void(std::size_t)>& on_message = {},
                 milliseconds pause = milliseconds(1)) {
    const auto limit = clock::now() + std::chrono::minutes(2);
    while (!done()) {
      if (clock::now() > limit) throw std::runtime_error("the WebSockets' server does not keep up");
      take_what_came(pause, on_message);
    }
  }

  /// Sends to one until all of it is written, and meanwhile reads what comes.
  void send_whole(std::size_t i, std::string_view frame) {
    bool sent = all_[i].send(frame);
    while (!sent) {
      take_what_came(milliseconds(0));
      sent = all_[i].send_rest();
    }
  }

 private:
  void take_what_came(milliseconds pause, const std::function<void(std::size_t)>& on_message = {}) {
    for (const auto& event : ready_.wait(pause)) {
      auto& one = all_[event.data.u32];
      const auto before = one.messages();
      one.receive();
      if (on_message && one.messages() > before) on_message(event.data.u32);
    }
  }

  readiness ready_;
  std::deque<websocket_client> all_;
};

struct echo_times {
  double p50_ms = 0;
  double p99_ms = 0;
};

// Each hundredth one sends ten messages a second, whether or not those before have come back.
echo_times echo_with_one_percent_active(crowd& all, int seconds) {
  const std::size_t active = std::max<std::size_t>(all.size() / 100, 1);
  const auto frame = websocket_client::frame_of(small_message);
  const std::size_t count = active * 10 * static_cast<std::size_t>(seconds);
  const auto pause = std::chrono::nanoseconds(100'000'000 / static_cast<std::int64_t>(active));
  std::vector<double> times_ms;
  std::vector<std::deque<clock::time_point>> due(all.size());
  const auto begin = clock::now() + milliseconds(10);
  std::size_t sent = 0;
  const auto on_message = [&](std::size_t i) {
    times_ms.push_back(std::chrono::duration<double, std::milli>(clock::now() - due[i].front()).count());
    due[i].pop_front();
  };
  const auto send_what_is_due = [&] {
    while (sent < count && begin + pause * sent <= clock::now()) {
      const auto i = (sent % active) * 100;
      due[i].push_back(begin + pause * sent);
      all.send_whole(i, frame);
      ++sent;
    }
    return times_ms.size() >= count;
  };
  all.run_until(send_what_is_due, on_message, milliseconds(0));
  std::ranges::sort(times_ms);
  return {times_ms[times_ms.size() / 2], times_ms[times_ms.size() * 99 / 100]};
}

// The first 64 of them, each with one message under way.
double echoes_per_second(crowd& all, int seconds) {
  const auto frame = websocket_client::frame_of(small_message);
  const auto before = all.messages();
  const stopwatch watch;
  for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 64); ++i) all.send_whole(i, frame);
  const auto again = [&](std::size_t i) {
    if (watch.seconds() < seconds) all.send_whole(i, frame);
  };
  std::uint64_t last = before;
  auto last_progress = clock::now();
  const auto is_over = [&] {
    if (watch.seconds() < seconds) return false;
    const auto now = all.messages();
    if (now != last) last_progress = clock::now();
    last = now;
    return clock::now() - last_progress > milliseconds(50);
  };
  all.run_until([&] { return watch.seconds() >= seconds; }, again);
  const double rate = static_cast<double>(all.messages() - before) / watch.seconds();
  all.run_until(is_over);
  return rate;
}

void echo_large_messages(crowd& all) {
  const auto frame = websocket_client::frame_of(large_message);
  constexpr std::size_t at_once = 16;
  for (std::size_t first = 0; first < all.size(); first += at_once) {
    const auto last = std::min(first + at_once, all.size());
    const auto wanted = all.messages() + (last - first);
    for (auto i = first; i < last; ++i) all.send_whole(i, frame);
    all.run_until([&] { return all.messages() >= wanted; }, {}, milliseconds(0));
  }
}

// The server sends a message that begins so to all.
double broadcast_ms(crowd& all) {
  const auto frame = websocket_client::frame_of(small_message, 'B');
  const auto wanted = all.messages() + all.size();
  const stopwatch watch;
  all.send_whole(0, frame);
  all.run_until([&] { return all.messages() >= wanted; }, {}, milliseconds(0));
  return watch.seconds() * 1000;
}

void measure_one(report& out, const peer& of, const many_sockets& how) {
  const running_server server(of);
  const auto add = [&](const std::string& what, double value, const char* unit, std::string note = {}) {
    out.add({group, of.name + ": " + what, value, unit, std::move(note)});
  };
  const double before = server.resident_kib();
  const auto per_socket = [&] { return (server.resident_kib() - before) / how.count; };
  const stopwatch watch;
  crowd all(server.port(), how.count);
  add("all connected", watch.seconds() * 1000, "ms");
  add("memory of an idle one", per_socket(), "KiB");
  const auto times = echo_with_one_percent_active(all, how.seconds);
  add("echo with 1 % active, p50", times.p50_ms, "ms", fmt::format("{} bytes", small_message));
  add("echo with 1 % active, p99", times.p99_ms, "ms");
  add("echoes by 64 of them", echoes_per_second(all, how.seconds), "messages/s");
  std::vector<double> broadcasts;
  for (int i = 0; i < 5; ++i) broadcasts.push_back(broadcast_ms(all));
  add("broadcast to all", median(broadcasts), "ms", spread(broadcasts));
  echo_large_messages(all);
  add("memory after 64 KiB from each", per_socket(), "KiB");
}

}  // namespace

void measure_websockets(report& out, const many_sockets& how) {
  allow_many_descriptors();
  std::vector<peer> peers;
  for (const char* kind : {"quarq", "beast"})
    peers.push_back(own_peer(kind, {"http-server", std::string(kind) + "-websocket"}));
  for (auto& found : python_peer(out, "aiohttp", "aiohttp", "aiohttp_server.py")) peers.push_back(found);
  for (auto& found : python_peer(out, "websockets", "websockets", "websockets_server.py"))
    peers.push_back(found);
  for (const auto& one : peers) {
    out.heading(fmt::format("{}: {} WebSockets, one thread", one.name, how.count));
    measure_one(out, one, how);
  }
}

}  // namespace quarq::bench
