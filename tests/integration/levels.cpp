// What all levels share: run, map and map_outcomes mean the same wherever the work is done. Where levels
// differ on purpose, level_traits says so. (What is particular to one level has tests of its own.)
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <quarq/quarq.hpp>

#include "integration/cancelled.hpp"
#include "integration/levels_places.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::levels_tests {

using on_sqlite = machines_level<0>;
using on_redis = machines_level<3>;
// A level more is a line more.
using all_levels = testing::Types<pool_level<coroutines>, pool_level<thread_pool>, pool_level<process_pool>,
                                  on_sqlite, on_redis, http_level>;

// ---- The tests

struct level_names {
  template <class Level>
  static std::string GetName(int) {
    return Level::name();
  }
};

template <class Level>
class levels : public testing::Test {
 protected:
  const auto& where() const { return level_.where(); }
  template <class Work>
  static decltype(auto) pick(const Work& w) {
    return Level::pick(w);
  }

  std::string folder() const { return folder_.path().string(); }
  bool there(const std::string& name) const { return there_is(folder(), name); }

  static std::vector<int> numbers(int count) {
    std::vector<int> all;
    for (int i = 0; i < count; ++i) all.push_back(i);
    return all;
  }

  temp_dir folder_;
  Level level_;
};
TYPED_TEST_SUITE(levels, all_levels, level_names);

TYPED_TEST(levels, return_values) {
  EXPECT_EQ(run_on_loop(this->where().run(this->pick(twice), 21)), 42);
  EXPECT_EQ(run_on_loop(this->where().run(this->pick(twice_later), 21)), 42);
}

TYPED_TEST(levels, return_nothing) {
  run_on_loop(this->where().run(this->pick(mark), this->folder(), "done"));
  EXPECT_TRUE(this->there("done"));
}

TYPED_TEST(levels, return_what_can_only_be_moved) {
  EXPECT_EQ(run_on_loop(this->where().run(this->pick(wrap), "now")).text(), "now");
  EXPECT_EQ(run_on_loop(this->where().run(this->pick(wrap_later), "later")).text(), "later");
}

TYPED_TEST(levels, throw_what_the_work_throws) {
  using traits = typename TypeParam::traits;
  const auto expect_thrown = [](const thrown& t) {
    EXPECT_EQ(t.what, "no space on device");
    if constexpr (traits::exception_itself) {
      EXPECT_NE(t.as<no_space>(), nullptr);
    } else {
      const auto* failed = t.as<call_failed>();
      EXPECT_EQ(failed != nullptr ? failed->type() : "", "quarq::test::levels_tests::no_space");
    }
  };
  expect_thrown(run_on_loop(error_of(this->where().run(this->pick(fail), "no space on device"))));
  expect_thrown(run_on_loop(error_of(this->where().run(this->pick(fail_later), "no space on device"))));
}

TYPED_TEST(levels, never_begin_what_was_cancelled_before) {
  run_on_loop([&]() -> awaitable<void> {
    bool is_cancelled = false;
    const auto caller = [&]() -> awaitable<void> { co_await until([&] { return is_cancelled; }); };
    const auto late = [&]() -> awaitable<void> {
      const auto first = co_await error_of(caller());
      EXPECT_TRUE(is_aborted(first)) << first.what;
      co_await this->where().run(this->pick(mark), this->folder(), "begun");
    };
    const auto t = co_await cancelled_when(late(), [] { return true; });
    EXPECT_TRUE(is_aborted(t)) << t.what;
    co_await this->where().run(this->pick(mark), this->folder(), "later");
    EXPECT_FALSE(this->there("begun"));
    EXPECT_TRUE(this->there("later"));
  });
}

TYPED_TEST(levels, cancel_what_is_under_way) {
  using traits = typename TypeParam::traits;
  run_on_loop([&]() -> awaitable<void> {
    auto running = this->where().run(this->pick(wait_for_gate), this->folder(), 1);
    const auto t = co_await cancelled_when(std::move(running), [&] { return this->there("started 1"); });
    EXPECT_TRUE(is_aborted(t)) << t.what;
    if constexpr (traits::work_hears_of_cancel) co_await until([&] { return this->there("heard 1"); });
    const int again = co_await this->where().run(this->pick(twice), 1);
    EXPECT_EQ(again, 2);
  });
}

TYPED_TEST(levels, ask_a_plain_function_to_stop) {
  using traits = typename TypeParam::traits;
  if constexpr (!traits::beside_the_loop || !traits::work_hears_of_cancel) {
    GTEST_SKIP()
        << "on purpose: a plain function keeps the loop of coroutines from hearing of a cancel, and a "
           "process is killed";
  } else {
    run_on_loop([&]() -> awaitable<void> {
      auto running = this->where().run(this->pick(wait_with_token), this->folder(), 1);
      const auto t = co_await cancelled_when(std::move(running), [&] { return this->there("started 1"); });
      EXPECT_TRUE(is_aborted(t)) << t.what;
      co_await until([&] { return this->there("heard 1"); });
    });
  }
}

TYPED_TEST(levels, end_at_a_deadline) {
  run_on_loop([&]() -> awaitable<void> {
    auto running = this->where().run(this->pick(wait_for_gate), this->folder(), 1);
    const auto t = co_await error_of(with_timeout(std::move(running), 100ms));
    EXPECT_NE(t.template as<timed_out>(), nullptr) << t.what;
    auto in_time = with_timeout(this->where().run(this->pick(twice), 1), default_timeout);
    const int two = co_await std::move(in_time);
    EXPECT_EQ(two, 2);
  });
}

TYPED_TEST(levels, run_work_that_runs_work_there) {
  EXPECT_EQ(run_on_loop(this->where().run(this->level_.nested(), 4)), 8);
  std::vector<awaitable<int>> all;
  for (int i = 0; i < 20; ++i) all.push_back(this->where().run(this->level_.nested(), i));
  EXPECT_EQ(run_on_loop(gather(std::move(all)))[19], 38);
}

TYPED_TEST(levels, gather_a_thousand) {
  std::vector<awaitable<int>> all;
  for (int i = 0; i < 1000; ++i) all.push_back(this->where().run(this->pick(twice), i));
  const auto values = run_on_loop(gather(std::move(all)));
  ASSERT_EQ(values.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], 2 * i);
}

TYPED_TEST(levels, map_a_thousand_in_order) {
  const auto numbers = this->numbers(1000);
  const auto values = run_on_loop(this->where().map(this->pick(twice_later), numbers));
  ASSERT_EQ(values.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], 2 * i);
}

TYPED_TEST(levels, map_to_what_can_only_be_moved) {
  const std::vector<std::string> words = {"a", "b", "c"};
  const auto parcels = run_on_loop(this->where().map(this->pick(wrap), words));
  ASSERT_EQ(parcels.size(), 3u);
  EXPECT_EQ(parcels[2].text(), "c");
}

TYPED_TEST(levels, map_until_the_first_failure) {
  using traits = typename TypeParam::traits;
  run_on_loop([&]() -> awaitable<void> {
    std::vector<std::pair<std::string, int>> all;
    for (int i = 0; i < 10; ++i) all.emplace_back(this->folder(), i);
    const auto t = co_await error_of(this->where().map(this->pick(fail_second), all, {.max_concurrency = 2}));
    EXPECT_EQ(t.what, "the second");
    if constexpr (traits::work_hears_of_cancel) co_await until([&] { return this->there("heard 0"); });
    for (int i = 2; i < 10; ++i) EXPECT_FALSE(this->there("started " + std::to_string(i)));
  });
}

TYPED_TEST(levels, map_to_outcomes_of_everything) {
  const auto all = run_on_loop(this->where().map_outcomes(this->pick(refuse_odd), this->numbers(10)));
  ASSERT_EQ(all.size(), 10u);
  EXPECT_EQ(all[4].value(), 4);
  EXPECT_FALSE(all[5].ok());
  EXPECT_EQ(all[5].message(), "odd: 5");
}

TYPED_TEST(levels, report_the_progress_of_a_map) {
  std::vector<std::size_t> done;
  std::size_t failed = 0;
  const auto here = std::this_thread::get_id();
  const auto report = [&](const progress& p) {
    EXPECT_EQ(std::this_thread::get_id(), here);
    EXPECT_EQ(p.total, 10u);
    done.push_back(p.done);
    failed = p.failed;
  };
  run_on_loop(
      this->where().map_outcomes(this->pick(refuse_odd), this->numbers(10), {.max_concurrency = 3}, report));
  EXPECT_EQ(done, (std::vector<std::size_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(failed, 5u);
}

TYPED_TEST(levels, survive_the_end_of_the_loop_with_work_in_flight) {
  {
    boost::asio::io_context loop(1);
    for (int i = 0; i < 10; ++i) {
      boost::asio::co_spawn(loop, this->where().run(this->pick(wait_for_gate), this->folder(), i),
                            [](std::exception_ptr, int) { ADD_FAILURE() << "it can't have ended"; });
    }
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    while (!this->there("started 0") && std::chrono::steady_clock::now() < deadline) loop.run_one_for(10ms);
    EXPECT_TRUE(this->there("started 0"));
  }
  // Threads wait for what runs on them, at their end.
  do_mark(this->folder(), "gate");
  EXPECT_EQ(run_on_loop(this->where().run(this->pick(twice), 1)), 2) << "on another loop";
}

TYPED_TEST(levels, survive_their_end_with_work_in_flight) {
  boost::asio::io_context loop(1);
  {
    TypeParam other;
    for (int i = 0; i < 10; ++i) {
      boost::asio::co_spawn(loop, other.where().run(TypeParam::pick(wait_for_gate), this->folder(), i),
                            [](std::exception_ptr, int) {});
    }
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    while (!this->there("started 0") && std::chrono::steady_clock::now() < deadline) loop.run_one_for(10ms);
    EXPECT_TRUE(this->there("started 0"));
    do_mark(this->folder(), "gate");
    loop.stop();
  }
}

}  // namespace quarq::test::levels_tests
