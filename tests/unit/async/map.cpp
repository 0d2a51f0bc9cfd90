#include <algorithm>
#include <iterator>
#include <list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/coroutines.hpp>
#include <quarq/errors.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

namespace quarq {
namespace {

using namespace std::chrono_literals;

const coroutines here;

awaitable<int> twice_later(int n) {
  co_await sleep_for(0ms);
  co_return 2 * n;
}

int twice(int n) {
  return 2 * n;
}

awaitable<std::size_t> length(std::string text) {
  co_return text.size();
}

std::vector<int> numbers(int count) {
  std::vector<int> all;
  for (int i = 0; i < count; ++i) all.push_back(i);
  return all;
}

TEST(map, gives_the_values_in_the_order_of_the_range) {
  const auto backwards = [](int n) -> awaitable<int> {
    co_await sleep_for(std::chrono::milliseconds(20 - n));
    co_return n;
  };
  EXPECT_EQ(run(here.map(backwards, numbers(20))), numbers(20));
}

TEST(map, takes_plain_functions_and_converts_elements) {
  EXPECT_EQ(run(here.map(twice, std::vector<short>{1, 2})), (std::vector<int>{2, 4}));
  const char* words[] = {"a", "bcd"};
  EXPECT_EQ(run(here.map(length, words)), (std::vector<std::size_t>{1, 3}));
}

TEST(map, of_nothing_ends_at_once) {
  bool reported = false;
  const auto report = [&](const progress&) { reported = true; };
  EXPECT_TRUE(run(here.map(twice, std::vector<int>(), {}, report)).empty());
  EXPECT_FALSE(reported);
}

TEST(map, a_container_given_by_reference_keeps_its_elements_and_one_that_is_moved_gives_them_away) {
  std::vector<std::string> words = {"a text that is too long for its string to hold", "b"};
  EXPECT_EQ(run(here.map(length, words)), (std::vector<std::size_t>{46, 1}));
  EXPECT_EQ(words[1], "b");

  std::list<std::unique_ptr<int>> boxes;
  boxes.push_back(std::make_unique<int>(1));
  boxes.push_back(std::make_unique<int>(2));
  const auto open = [](std::unique_ptr<int> box) { return *box; };
  EXPECT_EQ(run(here.map(open, std::move(boxes))), (std::vector<int>{1, 2}));
}

TEST(map, a_view_by_value_leaves_its_elements_to_their_owner) {
  std::vector<std::string> words = {"a text that is too long for its string to hold", "b"};
  run(here.map(length, std::span(words)));
  EXPECT_EQ(words[0].size(), 46u);
}

/// 1, 2 ... of unknown number, which can be read once; it may turn out to be spoilt.
class source {
 public:
  explicit source(int last, int spoilt = -1) : last_(last), spoilt_(spoilt) {}

  class iterator {
   public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    explicit iterator(source& from) : from_(&from) {}
    int operator*() const { return from_->read_; }
    iterator& operator++() {
      from_->next();
      return *this;
    }
    void operator++(int) { from_->next(); }
    bool operator==(std::default_sentinel_t) const { return from_->read_ > from_->last_; }

   private:
    source* from_;
  };

  iterator begin() {
    next();
    return iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }
  int read() const { return read_; }

 private:
  void next() {
    if (++read_ == spoilt_) throw std::runtime_error("spoilt");
  }
  int last_, spoilt_, read_ = 0;
};

TEST(map, reads_a_range_of_unknown_length_as_it_proceeds) {
  source numbers_to_come(9);
  std::vector<bool> total_known;
  const auto report = [&](const progress& p) { total_known.push_back(p.total.has_value()); };
  std::vector<int> read_at;
  const auto look = [&](int n) -> awaitable<int> {
    read_at.push_back(numbers_to_come.read());
    co_await sleep_for(0ms);
    co_return n;
  };
  const auto values = run(here.map(look, numbers_to_come, {.max_concurrency = 2}, report));
  EXPECT_EQ(values, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(read_at, values) << "it was read ahead";
  EXPECT_EQ(total_known, std::vector<bool>(9, false));
}

TEST(map, has_no_more_under_way_than_it_may) {
  int now = 0, max = 0;
  const auto work = [&](int) -> awaitable<void> {
    max = std::max(max, ++now);
    co_await sleep_for(1ms);
    --now;
  };
  run(here.map(work, numbers(50), {.max_concurrency = 7}));
  EXPECT_EQ(max, 7);
  max = 0;
  run(here.map(work, numbers(1000)));
  EXPECT_EQ(max, static_cast<int>(here.default_max_concurrency()));
  max = 0;
  run(here.map(work, numbers(5), {.max_concurrency = static_cast<std::size_t>(-1)}));
  EXPECT_EQ(max, 5);
  EXPECT_THROW(run(here.map(work, numbers(5), {.max_concurrency = 0})), usage_error);
}

TEST(map, starts_the_next_as_soon_as_one_ends) {
  std::vector<int> ended;
  const auto work = [&](int n) -> awaitable<void> {
    do {
      co_await sleep_for(0ms);
    } while (n == 0 && ended.size() < 9);
    ended.push_back(n);
  };
  run(here.map(work, numbers(10), {.max_concurrency = 2}));
  EXPECT_EQ(ended.back(), 0);
}

struct watched {
  int started = 0, cancelled = 0;
};

// Those before the bad one end at once, those after it wait until they are cancelled, and it fails as soon as `beside`
// others have been started: a busy machine may let the loop have its turn in between.
awaitable<int> fails_at(int n, int bad, watched& what, int beside = 0) {
  ++what.started;
  if (n == bad) {
    do {
      co_await sleep_for(0ms);
    } while (what.started <= beside);
    throw std::runtime_error("no " + std::to_string(n));
  }
  if (n < bad) co_return n;
  try {
    co_await sleep_for(24h);
  } catch (const boost::system::system_error&) {
    ++what.cancelled;
    throw;
  }
  co_return n;
}

template <class T>
std::string error_of(awaitable<T> work) {
  try {
    run(std::move(work));
    return "nothing was thrown";
  } catch (const std::exception& e) {
    return e.what();
  }
}

TEST(map, the_first_failure_cancels_those_under_way_and_starts_no_other) {
  watched what;
  std::vector<progress> reports;
  const auto report = [&](const progress& p) { reports.push_back(p); };
  const auto work = [&](int n) { return fails_at(n, 5, what, 14); };
  EXPECT_EQ(error_of(here.map(work, numbers(100), {.max_concurrency = 10}, report)), "no 5");
  EXPECT_EQ(what.started, 15);
  EXPECT_EQ(what.cancelled, 9);
  ASSERT_EQ(reports.size(), 6u);
  EXPECT_EQ(reports.back().done, 6u);
  EXPECT_EQ(reports.back().failed, 1u);
}

TEST(map, a_failure_without_a_wait_lets_no_other_start_either) {
  std::vector<int> called;
  const auto work = [&](int n) {
    called.push_back(n);
    if (n == 2) throw std::runtime_error("two");
  };
  EXPECT_EQ(error_of(here.map(work, numbers(100), {.max_concurrency = 10})), "two");
  EXPECT_EQ(called, numbers(3));
}

TEST(map, may_be_cancelled_by_its_own_progress_callback) {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal signal;
  watched what;
  const auto report = [&](const progress&) { signal.emit(boost::asio::cancellation_type::terminal); };
  const auto work = [&](int n) { return fails_at(n, n < 2 ? 2 : -1, what); };
  std::exception_ptr error;
  const auto keep = [&](std::exception_ptr e, const std::vector<int>&) { error = e; };
  boost::asio::co_spawn(loop, here.map(work, numbers(10), {.max_concurrency = 2}, report),
                        boost::asio::bind_cancellation_slot(signal.slot(), keep));
  loop.run();
  EXPECT_THROW(std::rethrow_exception(error), boost::system::system_error);
  EXPECT_LE(what.started, 4);
  EXPECT_EQ(what.cancelled, what.started - 2) << "all that was under way";
}

// Cancels it when so many have been started, and gives what it throws.
template <class T>
std::exception_ptr cancelled_at(int started, const watched& what, awaitable<T> work) {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal signal;
  std::exception_ptr error;
  const auto keep = [&](std::exception_ptr e, const auto&...) { error = e; };
  boost::asio::co_spawn(loop, std::move(work), boost::asio::bind_cancellation_slot(signal.slot(), keep));
  while (what.started < started) loop.run_one();
  signal.emit(boost::asio::cancellation_type::terminal);
  loop.run();
  return error;
}

TEST(map, is_cancelled_with_all_that_is_under_way) {
  watched what;
  const auto work = [&](int n) { return fails_at(n, -1, what); };
  const auto error = cancelled_at(10, what, here.map(work, numbers(100), {.max_concurrency = 10}));
  EXPECT_THROW(std::rethrow_exception(error), boost::system::system_error);
  EXPECT_EQ(what.started, 10);
  EXPECT_EQ(what.cancelled, 10);
  const auto again = cancelled_at(20, what, here.map_outcomes(work, numbers(100), {.max_concurrency = 10}));
  EXPECT_THROW(std::rethrow_exception(again), boost::system::system_error);
  EXPECT_EQ(what.started, 20);
  EXPECT_EQ(what.cancelled, 20);
}

TEST(map, takes_a_temporary_callback_that_owns_something) {
  class counts {
   public:
    explicit counts(std::shared_ptr<int> calls) : calls_(std::move(calls)) {}
    void operator()(const progress&) const { ++*calls_; }

   private:
    std::shared_ptr<int> calls_;
  };
  const auto calls = std::make_shared<int>(0);
  const auto caller = [&]() -> awaitable<void> {
    co_await here.map(twice, numbers(3), {.max_concurrency = 2}, counts(calls));
    EXPECT_EQ(calls.use_count(), 1) << "it is destroyed when the map has ended";
  };
  run(caller());
  EXPECT_EQ(*calls, 3);
}

awaitable<int> deaf(int n) {
  try {
    co_await sleep_for(20ms);
  } catch (const boost::system::system_error&) {
  }
  co_return n;
}

TEST(map, that_is_cancelled_gives_its_values_only_if_it_has_all_of_them) {
  EXPECT_THROW(run(with_timeout(here.map(deaf, numbers(3), {.max_concurrency = 2}), 1ms)), timed_out);
  std::vector<int> got;
  const auto caller = [&]() -> awaitable<void> {
    got = co_await here.map(deaf, numbers(2), {.max_concurrency = 2});
    // The cancellation was not swallowed.
    co_await sleep_for(24h);
  };
  EXPECT_THROW(run(with_timeout(caller(), 1ms)), timed_out);
  EXPECT_EQ(got, numbers(2));
}

TEST(map_outcomes, of_everything_whatever_fails) {
  std::vector<progress> reports;
  const auto report = [&](const progress& p) { reports.push_back(p); };
  const auto odd = [](int n) -> awaitable<int> {
    co_await sleep_for(0ms);
    if (n % 2 == 0) throw std::runtime_error("even " + std::to_string(n));
    co_return n;
  };
  const auto all = run(here.map_outcomes(odd, numbers(6), {.max_concurrency = 2}, report));
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all[2].message(), "even 2");
  EXPECT_EQ(all[5].value(), 5);
  ASSERT_EQ(reports.size(), 6u);
  EXPECT_EQ(reports.back().done, 6u);
  EXPECT_EQ(reports.back().failed, 3u);
  EXPECT_EQ(reports.back().total, 6u);
}

TEST(map_outcomes, of_work_that_returns_nothing) {
  const auto work = [](int n) {
    if (n == 1) throw std::runtime_error("one");
  };
  const auto all = run(here.map_outcomes(work, numbers(2)));
  EXPECT_TRUE(all[0].ok());
  EXPECT_EQ(all[1].message(), "one");
}

TEST(map, progress_counts_each_end) {
  std::vector<std::size_t> done;
  std::chrono::nanoseconds before{0};
  const auto report = [&](const progress& p) {
    done.push_back(p.done);
    EXPECT_EQ(p.total, 4u);
    EXPECT_EQ(p.failed, 0u);
    EXPECT_GE(p.elapsed, before);
    before = p.elapsed;
  };
  run(here.map(twice_later, numbers(4), {}, report));
  EXPECT_EQ(done, (std::vector<std::size_t>{1, 2, 3, 4}));
}

TEST(map, a_progress_callback_that_throws_fails_it) {
  watched what;
  const auto report = [](const progress& p) {
    if (p.done == 3) throw std::runtime_error("enough");
  };
  const auto work = [&](int n) { return fails_at(n, 5, what); };
  EXPECT_EQ(error_of(here.map(work, numbers(100), {.max_concurrency = 2}, report)), "enough");
  EXPECT_EQ(error_of(here.map_outcomes(twice, numbers(100), {.max_concurrency = 2}, report)), "enough");
}

TEST(map, a_range_that_throws_fails_it) {
  watched what;
  const auto work = [&](int n) { return fails_at(n, -1, what); };
  EXPECT_EQ(error_of(here.map(work, source(50, 4), {.max_concurrency = 10})), "spoilt");
  EXPECT_LE(what.started, 3);
  EXPECT_EQ(what.cancelled, what.started);
  EXPECT_EQ(error_of(here.map_outcomes(twice, source(50, 4), {.max_concurrency = 1})), "spoilt");
}

TEST(map, a_range_that_throws_later_cancels_all_that_is_under_way) {
  watched what;
  const auto work = [&](int n) -> awaitable<int> {
    ++what.started;
    while (n == 1 && what.started < 3) co_await sleep_for(0ms);
    if (n == 1) co_return n;
    const int never = co_await fails_at(n, -1, what);
    co_return never;
  };
  EXPECT_EQ(error_of(here.map(work, source(50, 4), {.max_concurrency = 3})), "spoilt");
  EXPECT_EQ(what.cancelled, 2);
}

TEST(map, the_loop_may_end_in_the_middle) {
  watched what;
  {
    boost::asio::io_context loop(1);
    const auto work = [&](int n) { return fails_at(n, -1, what); };
    const auto all = [&]() -> awaitable<void> {
      co_await here.map(work, numbers(20), {.max_concurrency = 10});
    };
    boost::asio::co_spawn(loop, all(), [](std::exception_ptr) { FAIL() << "it can't have ended"; });
    while (what.started < 10) loop.run_one();
  }
  EXPECT_EQ(what.started, 10);
  EXPECT_EQ(what.cancelled, 0);
}

TEST(map, ten_thousand) {
  const auto values = run(here.map(twice_later, numbers(10'000)));
  ASSERT_EQ(values.size(), 10'000u);
  EXPECT_EQ(values[9'999], 19'998);
}

int think(int n) {
  const auto until = std::chrono::steady_clock::now() + 1ms;
  while (std::chrono::steady_clock::now() < until) {
  }
  return n;
}

TEST(map, elements_that_never_wait_let_the_loop_in_between) {
  const std::vector<int> many(100'000);
  EXPECT_THROW(run(with_timeout(here.map(think, many), 20ms)), timed_out);
  EXPECT_THROW(run(with_timeout(here.map(think, many, {.max_concurrency = 1}), 20ms)), timed_out);
  EXPECT_THROW(run(with_timeout(here.map_outcomes(think, many), 20ms)), timed_out);
}

}  // namespace
}  // namespace quarq
