#include "open_loop.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sched.h>

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

// Fills the kernel's buffer with requests, and forgets the answers.
class storming_connection {
 public:
  explicit storming_connection(int port) : socket_(port) {
    for (int i = 0; i < 100; ++i) requests_ += request;
  }
  const raw_socket& socket() const noexcept { return socket_; }
  void go_on() {
    sent_ = (sent_ + socket_.send_some(std::string_view(requests_).substr(sent_))) % requests_.size();
    socket_.receive(space_);
  }

 private:
  raw_socket socket_;
  std::string requests_;
  std::size_t sent_ = 0;  // of requests_, which begin anew
  std::array<char, 65536> space_{};
};

// While it exists, this thread runs on the second processor alone, if there is one.
class on_second_processor {
 public:
  on_second_processor() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t second;
    CPU_ZERO(&second);
    CPU_SET(1, &second);
    ::sched_setaffinity(0, sizeof second, &second);
  }
  ~on_second_processor() { ::sched_setaffinity(0, sizeof before_, &before_); }
  on_second_processor(const on_second_processor&) = delete;
  on_second_processor& operator=(const on_second_processor&) = delete;

 private:
  cpu_set_t before_{};
};

double at(std::vector<double>& values, double share) {
  std::ranges::sort(values);
  return values.at(static_cast<std::size_t>(share * (static_cast<double>(values.size()) - 1.0)));
}

}  // namespace

answer_times ask_at_rate(int port, double rate, int connections, std::chrono::seconds duration,
                         storm beside) {
  const on_second_processor here;
  readiness ready;
  std::deque<storming_connection> stormy;
  for (int i = 0; i < beside.connections; ++i) {
    stormy.emplace_back(port);
    ready.add(stormy.back().socket(), static_cast<std::uint32_t>(connections + i));
    stormy.back().go_on();
  }
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
    for (const auto& event : ready.wait(std::chrono::milliseconds(0))) {
      if (event.data.u32 < all.size()) {
        all[event.data.u32].take_answer(times_ms);
      } else {
        stormy[event.data.u32 - all.size()].go_on();
      }
    }
  }
  return {at(times_ms, 0.5), at(times_ms, 0.99), at(late_ms, 0.99)};
}

}  // namespace quarq::bench
