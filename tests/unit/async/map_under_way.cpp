// What a map counts of elements that are under way, at a level that hears how far they are, as machines do.
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/coroutines.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

namespace quarq::map_under_way_tests {
namespace {

using namespace std::chrono_literals;

struct said {
  std::uint64_t done = 0, total = 0;
};
using teller = std::function<void(const said&)>;

class telling_level : public detail::maps<telling_level> {
 public:
  template <class F>
  telling_level with_progress(F&& f) const {
    auto other = *this;
    other.tell_ = std::forward<F>(f);
    return other;
  }
  template <class What>
  awaitable<int> run(What what, int n) const {
    return called(std::move(what), n, tell_);
  }
  std::size_t default_max_concurrency() const noexcept { return 100; }

 private:
  template <class What>
  static awaitable<int> called(What what, int n, teller tell) {
    auto work = what(n, std::move(tell));
    const int got = co_await std::move(work);
    co_return got;
  }

  teller tell_;
};

const telling_level there{};

/// done and under_way of each report.
using reports = std::vector<std::pair<std::size_t, double>>;

TEST(map_under_way, is_the_sum_of_the_fractions_and_changes_are_reported) {
  int reported = 0;
  const auto in_quarters = [&](int n, teller tell) -> awaitable<int> {
    tell(said{1, 4});
    ++reported;
    do {
      co_await sleep_for(0ms);
    } while (reported < 2);
    tell(said{3, 4});
    co_return n;
  };
  reports all;
  const auto report = [&](const progress& p) { all.emplace_back(p.done, p.under_way); };
  const std::vector<int> numbers{0, 1};
  EXPECT_EQ(run(there.map(in_quarters, numbers, {.max_concurrency = 2}, report)), numbers);
  EXPECT_EQ(all, (reports{{0, 0.25}, {0, 0.5}, {0, 1.0}, {1, 0.25}, {1, 0.75}, {2, 0.0}}));
}

TEST(map_under_way, of_one_element_is_its_latest_fraction_if_that_is_known) {
  const auto work = [](int n, teller tell) -> awaitable<int> {
    tell(said{5, 0});
    tell(said{1, 2});
    tell(said{2, 4});
    tell(said{9, 2});
    tell(said{1, 2});
    co_return n;
  };
  reports all;
  const auto report = [&](const progress& p) { all.emplace_back(p.done, p.under_way); };
  run(there.map(work, std::vector<int>(1), {}, report));
  EXPECT_EQ(all, (reports{{0, 0.5}, {0, 1.0}, {0, 0.5}, {1, 0.0}}));
}

TEST(map_under_way, is_nothing_when_all_have_ended) {
  const auto work = [](int n, teller tell) -> awaitable<int> {
    for (std::uint64_t part = 1; part <= 7; ++part) {
      tell(said{part, 7});
      co_await sleep_for(0ms);
    }
    if (n % 3 == 0) throw std::runtime_error("a third of them");
    co_return n;
  };
  progress last;
  const auto report = [&](const progress& p) {
    last = p;
    EXPECT_LE(p.under_way, 3.0);
    EXPECT_GE(p.under_way, 0.0);
  };
  std::vector<int> numbers;
  for (int i = 0; i < 50; ++i) numbers.push_back(i);
  run(there.map_outcomes(work, numbers, {.max_concurrency = 3}, report));
  EXPECT_EQ(last.done, 50u);
  EXPECT_EQ(last.failed, 17u);
  EXPECT_EQ(last.under_way, 0.0);
}

TEST(map_under_way, a_callback_that_throws_fails_the_map) {
  const auto work = [](int n, teller tell) -> awaitable<int> {
    co_await sleep_for(n == 0 ? 0ms : 24h);
    tell(said{1, 2});
    co_return n;
  };
  const auto report = [](const progress& p) {
    if (p.under_way > 0) throw std::runtime_error("enough");
  };
  const auto error_of = [&](bool of_outcomes) -> std::string {
    const std::vector<int> numbers{0, 1, 2};
    try {
      if (of_outcomes) {
        run(there.map_outcomes(work, numbers, {.max_concurrency = 2}, report));
      } else {
        run(there.map(work, numbers, {.max_concurrency = 2}, report));
      }
    } catch (const std::runtime_error& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  EXPECT_EQ(error_of(false), "enough");
  EXPECT_EQ(error_of(true), "enough");
}

TEST(map_under_way, is_not_asked_for_without_a_callback) {
  bool asked = false;
  const auto work = [&](int n, const teller& tell) -> awaitable<int> {
    asked = asked || tell != nullptr;
    co_return n;
  };
  run(there.map(work, std::vector<int>(3)));
  EXPECT_FALSE(asked);
}

}  // namespace
}  // namespace quarq::map_under_way_tests
