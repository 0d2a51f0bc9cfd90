// Arguments go to a worker and results come back, in every form that a handler can have.
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <stop_token>
#include <thread>
#include <tuple>
#include <variant>

#include <boost/describe.hpp>

#include "integration/worker_test.hpp"

namespace quarq::test::worker_values_tests {

struct page {
  std::string url;
  std::vector<std::string> words;
  std::optional<int> status;
  friend bool operator==(const page&, const page&) = default;
};
BOOST_DESCRIBE_STRUCT(page, (), (url, words, status))

enum class colour { red, green };
BOOST_DESCRIBE_ENUM(colour, red, green)

struct site {
  page front;
  std::map<std::string, page> others;
  colour paint = colour::red;
  friend bool operator==(const site&, const site&) = default;
};
BOOST_DESCRIBE_STRUCT(site, (), (front, others, paint))

namespace {

constexpr task<int(int, int)> add{"add", "left", "right"};
constexpr task<void(int)> keep{"keep"};
constexpr task<std::string(std::string)> shout{"shout"};

class worker_values : public worker_test {
 protected:
  /// Sends a value there and back.
  template <class T>
  void expect_round_trip(const T& value) {
    constexpr task<T(T)> echo{"echo"};
    worker w(options());
    w.handle(echo, [](T given) { return given; });
    std::optional<T> back;
    serve(w, [&](queue q) -> awaitable<void> {
      const auto job = co_await q.enqueue(echo(value));
      auto result = co_await job.result(default_timeout);
      back.emplace(std::move(result));
    });
    EXPECT_TRUE(back && *back == value);
  }

  /// The handler of `add`, in some form, adds.
  template <class F>
  void expect_adds(F handler) {
    worker w(options());
    w.handle(add, std::move(handler));
    int sum = 0;
    serve(w, [&](queue q) -> awaitable<void> {
      const auto job = co_await q.enqueue(add(2, 40));
      sum = co_await job.result(default_timeout);
    });
    EXPECT_EQ(sum, 42);
  }
};

TEST_P(worker_values, of_every_kind_come_back_as_they_were) {
  expect_round_trip(true);
  expect_round_trip(std::numeric_limits<std::int64_t>::min());
  expect_round_trip(std::numeric_limits<std::uint64_t>::max());
  expect_round_trip(3.5);
  expect_round_trip(std::string("text, äöü and \"quotes\""));
  expect_round_trip(std::string());
  expect_round_trip(to_bytes(std::string_view("\0\xff\x80", 3)));
  expect_round_trip(std::optional<int>());
  expect_round_trip(std::vector<std::vector<int>>{{1, 2}, {}, {3}});
  expect_round_trip(std::array<int, 3>{1, 2, 3});
  expect_round_trip(std::map<std::string, double>{{"a", 1.5}});
  expect_round_trip(std::tuple<int, std::string>(1, "x"));
  expect_round_trip(std::variant<int, std::string>("x"));
  expect_round_trip(1500ms);
  expect_round_trip(std::chrono::system_clock::time_point(1'700'000'000s));
  expect_round_trip(colour::green);
}

TEST_P(worker_values, structs_within_structs_come_back_as_they_were) {
  site s;
  s.front = page{"http://a", {"x", "y"}, 200};
  s.others["b"] = page{"http://b", {}, std::nullopt};
  s.paint = colour::green;
  expect_round_trip(s);
}

TEST_P(worker_values, a_megabyte_comes_back_as_it_was) {
  expect_round_trip(std::string(1 << 20, 'x'));
}

int add_plain(int left, int right) {
  return left + right;
}
int add_with_context(context&, int left, int right) {
  return left + right;
}
awaitable<int> add_on_loop(int left, int right) {
  co_return left + right;
}
awaitable<int> add_on_loop_with_context(context& ctx, int left, int right) {
  co_await sleep_for(1ms);
  co_return ctx.task() == "add" ? left + right : 0;
}

TEST_P(worker_values, a_plain_function_runs_on_a_thread) {
  expect_adds(add_plain);
  expect_adds(add_with_context);
  const auto loop_thread = std::this_thread::get_id();
  expect_adds(
      [=](int left, int right) { return std::this_thread::get_id() == loop_thread ? 0 : left + right; });
}

TEST_P(worker_values, a_coroutine_runs_on_the_loop) {
  expect_adds(add_on_loop);
  expect_adds(add_on_loop_with_context);
  const auto loop_thread = std::this_thread::get_id();
  expect_adds([=](int left, int right) -> awaitable<int> {
    co_return std::this_thread::get_id() == loop_thread ? left + right : 0;
  });
}

TEST_P(worker_values, a_handler_may_take_a_stop_token) {
  expect_adds(
      [](std::stop_token stop, int left, int right) { return stop.stop_possible() ? left + right : 0; });
  expect_adds([](std::stop_token stop, int left, int right) -> awaitable<int> {
    co_return stop.stop_requested() ? 0 : left + right;
  });
}

struct owning_adder {
  std::unique_ptr<int> base;
  awaitable<int> operator()(int left, int right) { co_return *base + left + right; }
};

TEST_P(worker_values, a_handler_may_own_what_can_only_be_moved) {
  auto number = std::make_unique<int>(0);
  expect_adds([number = std::move(number)](int left, int right) { return *number + left + right; });
  owning_adder coroutine;
  coroutine.base = std::make_unique<int>(0);
  expect_adds(std::move(coroutine));
}

TEST_P(worker_values, a_handlers_result_converts_to_the_tasks) {
  worker w(options());
  w.handle(shout, [](const std::string& text) { return text.empty() ? "" : "HEY"; });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(shout("hey"));
    const auto loud = co_await job.result(default_timeout);
    EXPECT_EQ(loud, "HEY");
  });
}

TEST_P(worker_values, a_task_that_returns_nothing_is_known_to_have_succeeded) {
  int kept = 0;
  worker w(options());
  w.handle(keep, [&](int n) -> awaitable<void> {
    kept = n;
    co_return;
  });
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(keep(7));
    co_await job.result(default_timeout);
    EXPECT_EQ(kept, 7);
    // Also to those who ask later, and to others.
    co_await job.result(default_timeout);
    const auto status = co_await job.state();
    EXPECT_EQ(status, job_state::succeeded);
    const auto stranger = q.find<void>(job.id());
    co_await stranger.result(default_timeout);
  });
}

TEST_P(worker_values, a_result_of_another_type_than_expected_is_refused) {
  worker w(options());
  w.handle(add, add_plain);
  serve(w, [&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(add(1, 1));
    co_await job.result(default_timeout);
    const auto wrong = q.find<std::string>(job.id());
    const auto error = co_await error_of(wrong.result(default_timeout));
    EXPECT_EQ(error.what, "result of job " + job.id() + ": expected string, got integer");
  });
}

TEST_P(worker_values, a_thousand_results_are_pushed_to_who_waits) {
  worker w(options());
  w.handle(add, add_on_loop);
  int sum = 0;
  serve(w, [&](queue q) -> awaitable<void> {
    std::vector<call<int>> calls;
    for (int i = 0; i < 1'000; ++i) calls.push_back(add(i, 0));
    const auto jobs = co_await q.enqueue(std::move(calls));
    std::vector<awaitable<int>> waits;
    for (const auto& j : jobs) waits.push_back(j->result(default_timeout));
    const auto results = co_await gather(std::move(waits));
    for (const int r : results) sum += r;
  });
  EXPECT_EQ(sum, 999 * 1'000 / 2);
}

AT_EACH_BROKER(worker_values);

}  // namespace
}  // namespace quarq::test::worker_values_tests
