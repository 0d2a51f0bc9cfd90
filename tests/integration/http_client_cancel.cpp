// Requests that are cancelled at any moment leave nothing behind.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>

#include <quarq/gather.hpp>
#include <quarq/http/client.hpp>
#include <quarq/time.hpp>

#include "base/sanitizers.hpp"
#include "support/descriptors.hpp"
#include "support/how_many.hpp"
#include "support/http_peer.hpp"
#include "support/on_loop.hpp"

namespace quarq::http::client_cancel_tests {
namespace {

using namespace std::chrono_literals;
using test::http_answer;
using test::http_peer;
using test::read_request;

// Some steps take a moment, so that a cancellation may meet each of them.
awaitable<void> answer_unhurried(stream& io, int number, std::string answer) {
  std::minstd_rand random(static_cast<unsigned>(number));
  while (true) {
    const auto request = co_await read_request(io);
    if (request.empty()) co_return;
    co_await sleep_for(std::chrono::microseconds(random() % 500));
    co_await io.write(std::string_view(answer).substr(0, 30));
    co_await sleep_for(std::chrono::microseconds(random() % 500));
    co_await io.write(std::string_view(answer).substr(30));
  }
}
http_peer::conversation unhurried(std::string answer) {
  return [answer](stream& io, int number) { return answer_unhurried(io, number, answer); };
}

std::uint64_t memory_in_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t size = 0;
    if (word == "VmRSS:" && status >> size) return size;
  }
  return 0;
}

class cancelling {
 public:
  explicit cancelling(http_peer& peer) : peer_(peer), web_(few_connections()) {}

  // Ten at a time, for three connections, until so many of them were cancelled.
  awaitable<void> until(int count) {
    while (cancelled_ < count) {
      const int ended_before = ended_;
      std::vector<awaitable<void>> some;
      for (int i = 0; i < 10; ++i) some.push_back(one(std::chrono::microseconds(random_() % most_)));
      co_await gather(std::move(some));
      EXPECT_EQ(web_.connections().in_use, 0u);
      adjust(ended_ - ended_before);
    }
  }
  awaitable<std::string> get() {
    const auto page = co_await web_.get(peer_.url());
    co_return page.body;
  }
  client& web() noexcept { return web_; }
  int ended() const noexcept { return ended_; }

 private:
  static client_options few_connections() {
    client_options options;
    options.max_connections_per_host = 3;
    return options;
  }
  awaitable<void> one(std::chrono::microseconds max) {
    auto page = web_.get(peer_.url());
    try {
      co_await with_timeout(std::move(page), max);
      ++ended_;
    } catch (const timed_out&) {
      ++cancelled_;
    }
  }

  // How long ten requests take is the machine's affair: some of them are to end, and most are to be cancelled.
  void adjust(int ended) noexcept {
    if (ended == 0) most_ = std::min(2 * most_, 10'000'000u);
    if (ended > 5) most_ = std::max(most_ / 2, 100u);
  }

  http_peer& peer_;
  client web_;
  std::minstd_rand random_{7};
  unsigned most_ = 8'000;
  int ended_ = 0;
  int cancelled_ = 0;
};

// QUARQ_TEST_HTTP_CANCELS=100000 is the whole of it.
TEST(http_client_cancel, at_any_moment_leaks_nothing) {
  const int count = test::how_many("QUARQ_TEST_HTTP_CANCELS", 500);
  http_peer peer(unhurried(http_answer(std::string(2000, 'x'))));
  cancelling requests(peer);
  const auto all = [&]() -> awaitable<void> {
    co_await requests.get();
    co_await requests.web().close_idle();
    const auto descriptors = test::open_descriptors();
    co_await requests.until(count / 10);
    ::malloc_trim(0);
    const auto memory = memory_in_kib();
    co_await requests.until(count);
    ::malloc_trim(0);
    if (!base::sanitized) {
      EXPECT_LT(memory_in_kib(), memory + 2048);
    }
    EXPECT_GT(requests.ended(), count / 20);
    const auto body = co_await requests.get();
    EXPECT_EQ(body.size(), 2000u);
    co_await requests.web().close_idle();
    const auto all_closed = [&] { return test::open_descriptors() <= descriptors; };
    co_await test::until(all_closed);
  };
  test::run_on_loop(all, 1h);
}

}  // namespace
}  // namespace quarq::http::client_cancel_tests
