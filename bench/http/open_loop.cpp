#include "open_loop.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "raw_client.hpp"

namespace quarq::bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::string_view request = "GET /users/7 HTTP/1.1\r\nHost: localhost\r\n\r\n";

double milliseconds_between(clock::time_point from, clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// Asks its server again and again, one request at a time; those that are due meanwhile wait.
class asking_connection {
 public:
  explicit asking_connection(int port) : socket_(port) {}
  const raw_socket& socket() const noexcept { return socket_; }
  bool is_free() const noexcept { return due_.empty(); }

  void ask(clock::time_point due) {
    due_.push_back(due);
    if (due_.size() == 1) socket_.send(request);
  }
  // Its server answers with bodies that end in a brace.
  void take_answer(std::vector<double>& times_ms) {
    std::array<char, 2048> space;
    const auto answer = socket_.receive(space);
    if (due_.empty() || !answer.ends_with('}'))
      throw std::runtime_error("a request of the open loop was not answered as a whole");
    times_ms.push_back(milliseconds_between(due_.front(), clock::now()));
    due_.pop_front();
    if (!due_.empty()) socket_.send(request);
  }

 private:
  raw_socket socket_;
  std::deque<clock::time_point> due_;  // the first one is on its way
};

double at(std::vector<double>& values, double share) {
  std::ranges::sort(values);
  return values.at(static_cast<std::size_t>(share * (static_cast<double>(values.size()) - 1.0)));
}

}  // namespace

answer_times ask_at_rate(int port, double rate, int connections, std::chrono::seconds duration) {
  readiness ready;
  std::deque<asking_connection> all;
  for (int i = 0; i < connections; ++i) {
    all.emplace_back(port);
    ready.add(all.back().socket(), static_cast<std::uint32_t>(i));
  }
  std::vector<double> times_ms;
  std::vector<double> late_ms;
  const auto count = static_cast<std::size_t>(rate * static_cast<double>(duration.count()));
  times_ms.reserve(count);
  late_ms.reserve(count);
  const auto begin = clock::now() + std::chrono::milliseconds(50);
  const auto due_of = [&](std::size_t i) {
    return begin + std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(i) * 1e9 / rate));
  };
  const auto limit = due_of(count) + std::chrono::seconds(10);
  for (std::size_t asked = 0; times_ms.size() < count;) {
    auto now = clock::now();
    if (now > limit) throw std::runtime_error("the server does not keep up with half its load");
    for (; asked < count && due_of(asked) <= now; ++asked) {
      auto& one = all[asked % all.size()];
      if (one.is_free()) late_ms.push_back(milliseconds_between(due_of(asked), now));
      one.ask(due_of(asked));
    }
    for (const auto& event : ready.wait(std::chrono::milliseconds(0)))
      all[event.data.u32].take_answer(times_ms);
  }
  return {at(times_ms, 0.5), at(times_ms, 0.99), at(late_ms, 0.99)};
}

}  // namespace quarq::bench
