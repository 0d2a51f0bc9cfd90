#include <memory>
#include <stop_token>
#include <string>

#include <gtest/gtest.h>

#include <quarq/coroutines.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

namespace quarq::test {
namespace {

using namespace std::chrono_literals;

int plus_one(int n) {
  return n + 1;
}

awaitable<int> plus_one_later(int n) {
  co_await sleep_for(0ms);
  co_return n + 1;
}

int with_token(std::stop_token stop, int n) {
  return stop.stop_requested() ? -1 : n;
}

awaitable<std::unique_ptr<int>> boxed(int n) {
  co_return std::make_unique<int>(n);
}

awaitable<std::size_t> length_of_reference(const std::string& text) {
  co_await sleep_for(0ms);
  co_return text.size();
}

TEST(coroutines, run_plain_functions_and_coroutines) {
  EXPECT_EQ(run(coroutines().run(plus_one, 4)), 5);
  EXPECT_EQ(run(coroutines().run(plus_one_later, 4)), 5);
  EXPECT_EQ(run(coroutines().run(with_token, 3)), 3);
  EXPECT_EQ(*run(coroutines().run(boxed, 3)), 3);
  EXPECT_EQ(run(coroutines().run(length_of_reference, std::string("kept"))), 4u);
  int calls = 0;
  const auto count = [&] { ++calls; };
  run(coroutines().run(count));
  EXPECT_EQ(calls, 1);
}

class remembers {
 public:
  explicit remembers(std::string text) : text_(std::move(text)) {}
  awaitable<std::string> operator()() const {
    co_await sleep_for(0ms);
    co_return text_;
  }

 private:
  std::string text_;
};

TEST(coroutines, keep_what_they_call_until_the_end) {
  const std::string text = "kept by value and used after a wait";
  EXPECT_EQ(run(coroutines().run(remembers(text))), text);
}

}  // namespace
}  // namespace quarq::test
