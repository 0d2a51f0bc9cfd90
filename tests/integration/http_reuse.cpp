// The client and connections that the server closes when it likes: no GET fails, and no POST is done twice.
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/gather.hpp>
#include <quarq/http/client.hpp>
#include <quarq/time.hpp>

#include "support/how_many.hpp"
#include "support/http_peer.hpp"
#include "support/on_loop.hpp"

namespace quarq::http::reuse_tests {
namespace {

using namespace std::chrono_literals;
using test::http_answer;
using test::http_peer;
using test::read_request;

// What the server has done: how often for each target.
class ledger {
 public:
  void note(const std::string& target) {
    const std::lock_guard lock(mutex_);
    ++times_[target];
  }
  int times(const std::string& target) const {
    const std::lock_guard lock(mutex_);
    const auto found = times_.find(target);
    return found == times_.end() ? 0 : found->second;
  }
  int most() const {
    const std::lock_guard lock(mutex_);
    int result = 0;
    for (const auto& [target, times] : times_) result = std::max(result, times);
    return result;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int> times_;
};

// The next request; "" if it has not come before the server's timeout ends, which may be at that very moment.
awaitable<std::string> next_request(stream& io, std::chrono::microseconds timeout) {
  std::string request;
  auto reading = read_request(io);
  try {
    request = co_await with_timeout(std::move(reading), timeout);
  } catch (const timed_out&) {
  }
  co_return request;
}

// A connection that has served before may be closed at any time, unannounced: while it is unused, and also when what
// was asked for is done, before the answer.
awaitable<void> serve(stream& io, int number, ledger& done) {
  std::minstd_rand random(static_cast<unsigned>(number));
  for (int served = 0;; ++served) {
    const bool waits_long = served == 0 || random() % 4 != 0;
    const auto timeout =
        waits_long ? std::chrono::microseconds(60s) : std::chrono::microseconds(random() % 300);
    const auto request = co_await next_request(io, timeout);
    if (request.empty()) co_return;
    const auto begin = request.find(' ') + 1;
    const auto target = request.substr(begin, request.find(' ', begin) - begin);
    done.note(target);
    if (served > 0 && random() % 20 == 0) co_return;
    co_await io.write(http_answer(target));
    if (random() % 20 == 0) co_return;
  }
}

int wanted(int otherwise) {
  return test::how_many("QUARQ_TEST_HTTP_REQUESTS", otherwise);
}

constexpr int at_once = 16;

// Runs one(i) for each i below `count`, some at the same time.
template <class F>
void for_all(int count, F& one) {
  const auto some = [&](int first) -> awaitable<void> {
    for (int i = first; i < count; i += at_once) co_await one(i);
  };
  const auto all = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> parts;
    for (int first = 0; first < at_once; ++first) parts.push_back(some(first));
    co_await gather(std::move(parts));
  };
  test::run_on_loop(all, 1h);
}

class http_reuse : public testing::Test {
 protected:
  // Whether there was an answer; where not, whether it may have arrived.
  awaitable<bool> post(std::string target, fields headers) {
    bool answered = false;
    try {
      const request_options options{.body = "x", .headers = headers};
      const auto page = co_await web.post(peer.url(target), options);
      EXPECT_EQ(page.body, target);
      answered = true;
    } catch (const request_error& e) {
      EXPECT_TRUE(e.reused() && e.may_have_arrived()) << e.what();
    }
    co_return answered;
  }

  ledger done;
  http_peer peer{[this](stream& io, int number) { return serve(io, number, done); }};
  client web;
};

// QUARQ_TEST_HTTP_REQUESTS=1000000 is the whole of it.
TEST_F(http_reuse, no_get_fails) {
  const int count = wanted(5'000);
  const auto one = [&](int i) -> awaitable<void> {
    const auto target = "/" + std::to_string(i);
    const auto page = co_await web.get(peer.url(target));
    EXPECT_EQ(page.body, target);
  };
  for_all(count, one);
  EXPECT_GT(peer.accepted(), count / 100);
  EXPECT_EQ(web.connections().in_use, 0u);
}

// Some answers take longer than the client waits.
awaitable<void> answer_late_at_times(stream& io, int number) {
  std::minstd_rand random(static_cast<unsigned>(number));
  while (true) {
    const auto request = co_await read_request(io);
    if (request.empty()) co_return;
    const auto begin = request.find(' ') + 1;
    if (random() % 4 == 0) co_await sleep_for(std::chrono::microseconds(random() % 3'000));
    co_await io.write(http_answer(request.substr(begin, request.find(' ', begin) - begin)));
  }
}

TEST(http_reuse_with_timeouts, no_answer_reaches_another_request) {
  const int count = wanted(5'000);
  http_peer peer(answer_late_at_times);
  client web;
  int late = 0;
  const auto one = [&](int i) -> awaitable<void> {
    const auto target = "/" + std::to_string(i);
    const auto timeout = i % 3 == 0 ? std::chrono::milliseconds(1 + i % 4) : std::chrono::milliseconds(30s);
    try {
      const auto page = co_await web.get(peer.url(target), {.timeout = timeout});
      EXPECT_EQ(page.body, target);
    } catch (const request_error& e) {
      EXPECT_TRUE(e.timed_out()) << e.what();
      ++late;
    }
  };
  for_all(count, one);
  EXPECT_GT(late, count / 100);
  EXPECT_LT(late, count / 2);
  EXPECT_EQ(web.connections().in_use, 0u);
}

TEST_F(http_reuse, no_post_is_done_twice) {
  const int count = wanted(20'000) / 10;
  int answered = 0;
  const auto one = [&](int i) -> awaitable<void> {
    const auto target = "/" + std::to_string(i);
    const bool ok = co_await post(target, {});
    if (!ok) co_return;
    ++answered;
    EXPECT_EQ(done.times(target), 1);
  };
  for_all(count, one);
  EXPECT_EQ(done.most(), 1);
  // Both happen: those that were lost on the way, and those that were sent again since nothing of them was written.
  EXPECT_LT(answered, count);
  EXPECT_GT(answered, count / 2);
}

TEST_F(http_reuse, a_post_with_an_idempotency_key_is_always_answered) {
  const int count = wanted(20'000) / 10;
  const auto one = [&](int i) -> awaitable<void> {
    const auto number = std::to_string(i);
    fields key;
    key.set("Idempotency-Key", number);
    const bool ok = co_await post("/" + number, key);
    EXPECT_TRUE(ok);
    EXPECT_GE(done.times("/" + number), 1);
  };
  for_all(count, one);
  // Some were done, and their answer was lost: the server knows them by their key.
  EXPECT_GT(done.most(), 1);
}

}  // namespace
}  // namespace quarq::http::reuse_tests
