// Functions on threads: their values, their exceptions, and what ends first.
#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>
#include <pthread.h>

#include <quarq/errors.hpp>
#include <quarq/gather.hpp>
#include <quarq/run.hpp>
#include <quarq/thread_pool.hpp>
#include <quarq/time.hpp>

#include "support/on_loop.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

thread_pool_options sized(std::size_t size, shutdown end = shutdown::drain) {
  thread_pool_options options;
  options.size = size;
  options.shutdown = end;
  return options;
}

thread_pool_options bounded(std::size_t size, std::size_t max_queued, shutdown end = shutdown::drain) {
  auto options = sized(size, end);
  options.max_queued = max_queued;
  return options;
}

bool is_aborted(const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
  }
  return false;
}

// A thread of a pool that is held until somebody lets it go on.
class gate {
 public:
  void open() { opened_.release(1000); }
  void wait_until_reached() { reached_.acquire(); }
  // Called by the thread.
  void pass() {
    reached_.release();
    opened_.acquire();
  }

 private:
  std::counting_semaphore<> reached_{0}, opened_{0};
};

int add(int a, int b) {
  return a + b;
}

struct counted {
  explicit counted(std::atomic<int>& c) : count(&c) { ++*count; }
  counted(const counted& other) : count(other.count) { ++*count; }
  counted(counted&& other) noexcept : count(std::exchange(other.count, nullptr)) {}
  ~counted() {
    if (count) --*count;
  }
  std::atomic<int>* count;
};

// ---- values and exceptions

TEST(thread_pool, yields_the_value_of_a_function_on_another_thread) {
  thread_pool threads;
  EXPECT_EQ(run(threads.run(add, 40, 2)), 42);
  EXPECT_NE(run(threads.run([] { return std::this_thread::get_id(); })), std::this_thread::get_id());
  bool ran = false;
  run(threads.run([&] { ran = true; }));
  EXPECT_TRUE(ran);
}

TEST(thread_pool, what_can_only_be_moved_is_moved_there_and_back) {
  thread_pool threads;
  const auto twice = [](std::unique_ptr<int> n) { return std::make_unique<int>(*n * 2); };
  EXPECT_EQ(*run(threads.run(twice, std::make_unique<int>(21))), 42);
  std::packaged_task<std::unique_ptr<int>(int)> owner([](int n) { return std::make_unique<int>(n); });
  auto value = owner.get_future();
  run(threads.run(std::move(owner), 7));
  EXPECT_EQ(*value.get(), 7);
}

TEST(thread_pool, a_value_needs_no_default_constructor) {
  struct number {
    explicit number(int n) : value(n) {}
    int value;
  };
  thread_pool threads;
  EXPECT_EQ(run(threads.run([](int n) { return number(n); }, 3)).value, 3);
}

TEST(thread_pool, a_returned_reference_is_copied) {
  thread_pool threads;
  static const std::string text = "text";
  const auto get = []() -> const std::string& { return text; };
  static_assert(std::is_same_v<decltype(threads.run(get)), awaitable<std::string>>);
  EXPECT_EQ(run(threads.run(get)), "text");
}

TEST(thread_pool, calls_members_and_references) {
  thread_pool threads;
  struct counter {
    int value = 0;
    int next() { return ++value; }
  } one;
  EXPECT_EQ(run(threads.run(&counter::next, &one)), 1);
  const auto increment = [](int& n) { ++n; };
  run(threads.run(increment, std::ref(one.value)));
  EXPECT_EQ(one.value, 2);
}

TEST(thread_pool, rethrows_the_very_exception) {
  struct special {
    std::unique_ptr<int> owned;
  };
  thread_pool threads;
  int* where = nullptr;
  const auto fail = [&] {
    auto owned = std::make_unique<int>(5);
    where = owned.get();
    throw special{std::move(owned)};
  };
  try {
    run(threads.run(fail));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const special& e) {
    EXPECT_EQ(e.owned.get(), where);
  }
}

TEST(thread_pool, many_exceptions_cross_from_many_threads) {
  thread_pool threads(sized(4));
  const auto fail = [](int n) { throw std::runtime_error(std::to_string(n)); };
  const auto expect = [&](int n) -> awaitable<void> {
    std::string message;
    try {
      co_await threads.run(fail, n);
    } catch (const std::exception& e) {
      message = e.what();
    }
    EXPECT_EQ(message, std::to_string(n));
  };
  std::vector<awaitable<void>> all;
  for (int i = 0; i < 500; ++i) all.push_back(expect(i));
  run(gather(std::move(all)));
}

TEST(thread_pool, function_and_arguments_are_destroyed_before_the_value_arrives) {
  thread_pool threads;
  std::atomic<int> alive = 0;
  const auto body = [&]() -> awaitable<void> {
    const auto f = [c = counted(alive)](counted) { return 1; };
    counted argument(alive);
    auto call = threads.run(f, std::move(argument));
    EXPECT_EQ(alive, 3);
    co_await std::move(call);
    EXPECT_EQ(alive, 1);
  };
  run_on_loop(body);
}

TEST(thread_pool, a_call_that_is_not_awaited_does_nothing) {
  std::atomic<int> alive = 0;
  bool ran = false;
  thread_pool threads;
  {
    const auto f = [&, c = counted(alive)] { ran = true; };
    const auto call = threads.run(f);
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(ran);
}

TEST(thread_pool, runs_a_thousand_at_once_in_place) {
  thread_pool threads(sized(3));
  std::vector<awaitable<int>> all;
  for (int i = 0; i < 1000; ++i) all.push_back(threads.run(add, i, 1));
  const auto values = run(gather(std::move(all)));
  ASSERT_EQ(values.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i + 1);
}

TEST(thread_pool, serves_several_loops_on_several_threads) {
  thread_pool threads(sized(2));
  std::atomic<int> sum = 0;
  {
    std::vector<std::jthread> loops;
    for (int t = 0; t < 4; ++t) {
      loops.emplace_back([&] {
        const auto body = [&]() -> awaitable<void> {
          for (int i = 0; i < 200; ++i) {
            const int n = co_await threads.run(add, i, 0);
            EXPECT_EQ(n, i);
            ++sum;
          }
        };
        run(body());
      });
    }
  }
  EXPECT_EQ(sum, 800);
}

// ---- threads

TEST(thread_pool, has_as_many_threads_as_it_is_told) {
  thread_pool threads(sized(5));
  EXPECT_EQ(threads.size(), 5u);
  std::latch all_there(5);
  std::vector<awaitable<void>> all;
  for (int i = 0; i < 5; ++i) all.push_back(threads.run([&] { all_there.arrive_and_wait(); }));
  run(gather(std::move(all)));
  EXPECT_EQ(thread_pool().size(), std::max(1u, std::thread::hardware_concurrency()));
}

std::string name_of_this_thread() {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

TEST(thread_pool, its_threads_have_names) {
  thread_pool_options options = sized(1);
  options.name = "word counters of the talk";
  thread_pool threads(options);
  EXPECT_EQ(run(threads.run(name_of_this_thread)), "word counters-0");
  options.name = "io";
  options.size = 2;
  thread_pool two(options);
  const auto name = run(two.run(name_of_this_thread));
  EXPECT_TRUE(name == "io-0" || name == "io-1") << name;
}

// ---- post

TEST(thread_pool, posted_functions_all_run) {
  std::atomic<int> count = 0;
  {
    thread_pool threads(sized(3));
    std::vector<std::jthread> from;
    for (int t = 0; t < 3; ++t) {
      from.emplace_back([&] {
        for (int i = 0; i < 5000; ++i) threads.post([&] { ++count; });
      });
    }
    from.clear();
  }
  EXPECT_EQ(count, 15000);
}

TEST(thread_pool, posts_of_one_thread_start_in_order) {
  std::vector<int> order;
  {
    thread_pool threads(sized(1));
    for (int i = 0; i < 1000; ++i) threads.post([&, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  order.clear();
  {
    thread_pool threads(sized(1));
    threads.post([&] {
      for (int i = 0; i < 1000; ++i) threads.post([&, i] { order.push_back(i); });
    });
  }
  ASSERT_EQ(order.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

struct branch {
  void operator()() const {
    ++*count;
    if (depth == 0) return;
    for (int i = 0; i < 2; ++i) threads->post(branch{threads, count, depth - 1});
  }
  thread_pool* threads;
  std::atomic<int>* count;
  int depth;
};

TEST(thread_pool, posts_from_inside_spread_and_all_run) {
  std::atomic<int> count = 0;
  {
    thread_pool threads(sized(4));
    threads.post(branch{&threads, &count, 12});
  }
  EXPECT_EQ(count, (1 << 13) - 1);
}

TEST(thread_pool, posted_functions_of_any_size_are_destroyed_once) {
  std::atomic<int> alive = 0;
  struct big {
    std::array<char, 300> bytes = {};
  };
  {
    thread_pool threads(sized(2));
    for (int i = 0; i < 200; ++i) {
      threads.post([c = counted(alive)] {});
      threads.post([c = counted(alive), b = big()] { EXPECT_EQ(b.bytes[299], 0); });
    }
  }
  EXPECT_EQ(alive, 0);
}

TEST(thread_pool, work_behind_a_blocked_thread_is_taken_by_the_other) {
  // The second function is in the hands of whoever took many at once; it must not wait behind the first.
  for (int round = 0; round < 50; ++round) {
    std::latch last_ran(1);
    thread_pool threads(sized(2));
    threads.post([&] {
      for (int i = 0; i < 200; ++i) threads.post([] {});
      threads.post([&] { last_ran.count_down(); });
      last_ran.wait();
    });
  }
}

TEST(thread_pool, work_from_inside_does_not_starve_work_from_outside) {
  std::atomic<bool> end = false;
  std::function<void()> again;
  thread_pool threads(sized(1));
  again = [&] {
    if (!end) threads.post([&] { again(); });
  };
  threads.post([&] { again(); });
  EXPECT_EQ(run(threads.run(add, 1, 2)), 3);
  end = true;
}

TEST(thread_pool, work_from_outside_does_not_starve_work_from_inside) {
  std::atomic<bool> end = false;
  std::promise<void> ran;
  {
    thread_pool threads(sized(1));
    std::jthread outside([&] {
      while (!end) threads.post([] {});
    });
    threads.post([&] { threads.post([&] { ran.set_value(); }); });
    ran.get_future().wait();
    end = true;
  }
}

TEST(thread_pool_death, an_exception_that_leaves_a_posted_function_ends_the_program) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        thread_pool threads(sized(1));
        threads.post([] { throw std::runtime_error("nobody is here to catch this"); });
      },
      "nobody is here to catch this");
}

TEST(thread_pool_death, is_not_destroyed_by_one_of_its_own_threads) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto threads = std::make_unique<thread_pool>(sized(1));
        std::latch never(1);
        threads->post([&] { threads.reset(); });
        never.wait();
      },
      "destroyed by one of its own threads");
}

// ---- cancellation

// Starts `work` on a loop of its own, cancels it when `now` returns, and says how it ended.
struct ending {
  std::exception_ptr failure;
  bool ended = false;
};
ending cancelled_after(awaitable<void> work, const std::function<void()>& now) {
  asio::io_context loop(1);
  asio::cancellation_signal cancel;
  ending result;
  const auto end = [&](std::exception_ptr e) {
    result.failure = e;
    result.ended = true;
  };
  asio::co_spawn(loop, std::move(work), asio::bind_cancellation_slot(cancel.slot(), end));
  loop.poll();
  now();
  cancel.emit(asio::cancellation_type::terminal);
  loop.restart();
  loop.run_for(20s);
  return result;
}

TEST(thread_pool, a_call_cancelled_in_the_queue_never_runs_and_ends_at_once) {
  thread_pool threads(sized(1));
  gate busy;
  threads.post([&] { busy.pass(); });
  busy.wait_until_reached();
  bool ran = false;
  std::atomic<int> alive = 0;
  const auto f = [&, c = counted(alive)] { ran = true; };
  const auto end = cancelled_after(threads.run(f), [] {});
  EXPECT_TRUE(end.ended);
  EXPECT_TRUE(is_aborted(end.failure));
  EXPECT_EQ(alive, 1);
  busy.open();
  run(threads.run([] {}));
  EXPECT_FALSE(ran);
}

TEST(thread_pool, a_running_function_hears_of_the_cancellation_and_is_waited_for) {
  thread_pool threads(sized(1));
  std::binary_semaphore running(0);
  std::atomic<bool> ended = false;
  const auto f = [&](std::stop_token stop, int argument) {
    EXPECT_EQ(argument, 5);
    running.release();
    std::binary_semaphore stopped(0);
    const std::stop_callback on_stop(stop, [&] { stopped.release(); });
    stopped.acquire();
    ended = true;
    throw std::runtime_error("stopped");
  };
  const auto end = cancelled_after(threads.run(f, 5), [&] { running.acquire(); });
  EXPECT_TRUE(ended);
  EXPECT_TRUE(end.ended);
  EXPECT_TRUE(is_aborted(end.failure));
}

awaitable<void> keep(awaitable<int> from, int& into) {
  into = co_await std::move(from);
}

TEST(thread_pool, a_value_in_spite_of_the_cancellation_is_delivered) {
  thread_pool threads(sized(1));
  gate busy;
  std::jthread opens;
  int value = 0;
  const auto f = [&] {
    busy.pass();
    return 42;
  };
  const auto end = cancelled_after(keep(threads.run(f), value), [&] {
    busy.wait_until_reached();
    opens = std::jthread([&] { busy.open(); });
  });
  EXPECT_TRUE(end.ended);
  EXPECT_FALSE(end.failure);
  EXPECT_EQ(value, 42);
}

TEST(thread_pool, has_a_deadline_as_all_awaitables) {
  thread_pool threads(sized(1));
  const auto until_stopped = [](std::stop_token stop) {
    std::binary_semaphore stopped(0);
    const std::stop_callback on_stop(stop, [&] { stopped.release(); });
    stopped.acquire();
    throw std::runtime_error("stopped");
  };
  EXPECT_THROW(run(with_timeout(threads.run(until_stopped), 5ms)), timed_out);
}

TEST(thread_pool, a_failure_beside_it_stops_it) {
  thread_pool threads(sized(2));
  std::latch running(1);
  const auto until_stopped = [&](std::stop_token stop) {
    running.count_down();
    std::binary_semaphore stopped(0);
    const std::stop_callback on_stop(stop, [&] { stopped.release(); });
    stopped.acquire();
  };
  const auto fails = [&] {
    running.wait();
    throw std::runtime_error("first");
  };
  try {
    run(gather(threads.run(until_stopped), threads.run(fails)));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::exception& e) {
    EXPECT_STREQ(e.what(), "first");
  }
}

// ---- coroutine functions

awaitable<std::string> slow_text(int n) {
  co_await sleep_for(1ms);
  co_return std::to_string(n);
}

TEST(thread_pool, a_coroutine_function_runs_on_a_loop_of_its_own) {
  thread_pool threads(sized(2));
  static_assert(std::is_same_v<decltype(threads.run(slow_text, 1)), awaitable<std::string>>);
  EXPECT_EQ(run(threads.run(slow_text, 17)), "17");
  const auto where = []() -> awaitable<std::thread::id> {
    co_await sleep_for(0ms);
    co_return std::this_thread::get_id();
  };
  EXPECT_NE(run(threads.run(where)), std::this_thread::get_id());
  const auto fails = []() -> awaitable<void> {
    co_await sleep_for(1ms);
    throw std::runtime_error("in a coroutine");
  };
  EXPECT_THROW(run(threads.run(fails)), std::runtime_error);
}

TEST(thread_pool, a_coroutine_function_is_cancelled) {
  thread_pool threads(sized(1));
  std::binary_semaphore running(0);
  bool was_cancelled = false;
  const auto body = [&]() -> awaitable<void> {
    running.release();
    try {
      co_await sleep_for(24h);
    } catch (const boost::system::system_error& e) {
      was_cancelled = e.code() == asio::error::operation_aborted;
      throw;
    }
  };
  const auto end = cancelled_after(threads.run(body), [&] { running.acquire(); });
  EXPECT_TRUE(end.ended);
  EXPECT_TRUE(is_aborted(end.failure));
  EXPECT_TRUE(was_cancelled);
}

// ---- run from inside

int nested(const thread_pool& threads, int depth) {
  if (depth == 0) return 1;
  return 1 + run(threads.run(nested, std::cref(threads), depth - 1));
}

TEST(thread_pool, run_from_inside_is_no_deadlock) {
  thread_pool one(sized(1));
  EXPECT_EQ(run(one.run(nested, std::cref(one), 1)), 2);
  EXPECT_EQ(run(one.run(nested, std::cref(one), 3)), 4);
  EXPECT_EQ(run(one.run(nested, std::cref(one), 50)), 51);
  thread_pool two(sized(2));
  std::vector<awaitable<int>> all;
  for (int i = 0; i < 1000; ++i) all.push_back(two.run(nested, std::cref(two), 3));
  for (const int n : run(gather(std::move(all)))) EXPECT_EQ(n, 4);
}

int fibonacci(const thread_pool& threads, int n) {
  if (n < 2) return n;
  const auto [a, b] = run(gather(threads.run(fibonacci, std::cref(threads), n - 1),
                                 threads.run(fibonacci, std::cref(threads), n - 2)));
  return a + b;
}

TEST(thread_pool, work_divides_itself) {
  for (std::size_t size : {1, 2, 4}) {
    thread_pool threads(sized(size));
    EXPECT_EQ(run(threads.run(fibonacci, std::cref(threads), 10)), 55);
  }
}

TEST(thread_pool, what_waits_for_a_timer_is_not_held_up_by_other_work) {
  thread_pool threads(sized(1));
  std::atomic<bool> is_queued = false;
  bool has_ended = false, had_ended = false;
  const auto wait = [&]() -> awaitable<void> {
    while (!is_queued) co_await sleep_for(1ms);
    co_await sleep_for(1ms);
    has_ended = true;
  };
  const auto other = [&] { had_ended = has_ended; };
  const auto announce = [&]() -> awaitable<void> {
    is_queued = true;
    co_return;
  };
  std::vector<awaitable<void>> all;
  all.push_back(threads.run(wait));
  all.push_back(threads.run(other));
  all.push_back(announce());
  run(gather(std::move(all)));
  EXPECT_TRUE(had_ended) << "it began in the middle of what waits";
}

TEST(thread_pool, a_thread_that_waits_for_nothing_of_its_own_is_woken_for_new_work) {
  // No timer runs on the waiting loop: only the pool can wake it.
  thread_pool threads(sized(1)), other(sized(1));
  gate held;
  int answer = 0;
  const auto waits = [&] { return run(other.run([&] { held.pass(); })); };
  std::jthread outside([&] {
    held.wait_until_reached();
    answer = run(threads.run(add, 2, 3));
    held.open();
  });
  run(threads.run(waits));
  outside.join();
  EXPECT_EQ(answer, 5);
}

TEST(thread_pool, a_helped_function_may_run_loops_itself) {
  thread_pool threads(sized(1));
  const auto outer = [&] {
    const auto inner = [] { return run(slow_text(3)); };
    return run(threads.run(inner));
  };
  EXPECT_EQ(run(threads.run(outer)), "3");
}

TEST(thread_pool, pools_may_wait_for_each_other) {
  thread_pool a(sized(1)), b(sized(1));
  const auto last = [] { return 5; };
  const auto middle = [&] { return run(a.run(last)); };
  const auto first = [&] { return run(b.run(middle)); };
  EXPECT_EQ(run(a.run(first)), 5);
}

TEST(thread_pool, run_inside_a_coroutine_is_still_refused) {
  thread_pool threads(sized(1));
  const auto wrong = [&]() -> awaitable<void> {
    co_await sleep_for(0ms);
    run(sleep_for(0ms));
  };
  EXPECT_THROW(run(threads.run(wrong)), std::logic_error);
}

// ---- a bound

TEST(thread_pool, a_full_queue_suspends_the_coroutine_and_not_its_loop) {
  thread_pool threads(bounded(1, 2));
  gate busy;
  threads.post([&] { busy.pass(); });
  busy.wait_until_reached();
  int ended = 0;
  std::atomic<int> started = 0;
  const auto one = [&]() -> awaitable<void> {
    co_await threads.run([&] { ++started; });
    ++ended;
  };
  const auto body = [&]() -> awaitable<void> {
    co_await sleep_for(1ms);
    EXPECT_EQ(started, 0);
    busy.open();
  };
  std::vector<awaitable<void>> all;
  for (int i = 0; i < 20; ++i) all.push_back(one());
  all.push_back(body());
  run(gather(std::move(all)));
  EXPECT_EQ(ended, 20);
}

TEST(thread_pool, a_full_queue_blocks_who_posts) {
  std::atomic<int> ran = 0, posted = 0;
  {
    thread_pool threads(bounded(1, 2));
    gate busy;
    threads.post([&] { busy.pass(); });
    busy.wait_until_reached();
    threads.post([&] { ++ran; });
    threads.post([&] { ++ran; });
    std::jthread third([&] {
      threads.post([&] { ++ran; });
      ++posted;
    });
    EXPECT_EQ(posted, 0);
    busy.open();
    third.join();
    EXPECT_EQ(posted, 1);
  }
  EXPECT_EQ(ran, 3);
}

TEST(thread_pool, a_full_queue_makes_its_own_thread_do_what_it_posts) {
  std::vector<int> order;
  {
    thread_pool threads(bounded(1, 1));
    std::latch posted(1);
    threads.post([&] {
      threads.post([&] { order.push_back(2); });
      threads.post([&] { order.push_back(1); });
      posted.count_down();
    });
    posted.wait();
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(thread_pool, cancelled_while_it_waits_for_a_place) {
  thread_pool threads(bounded(1, 1));
  gate busy;
  threads.post([&] { busy.pass(); });
  busy.wait_until_reached();
  threads.post([] {});
  bool ran = false;
  const auto end = cancelled_after(threads.run([&] { ran = true; }), [] {});
  EXPECT_TRUE(is_aborted(end.failure));
  busy.open();
  // The places are all there still.
  for (int i = 0; i < 10; ++i) run(threads.run([] {}));
  EXPECT_FALSE(ran);
}

TEST(thread_pool, a_call_cancelled_in_the_queue_gives_its_place_back) {
  thread_pool threads(bounded(1, 1));
  gate busy;
  threads.post([&] { busy.pass(); });
  busy.wait_until_reached();
  for (int i = 0; i < 5; ++i) {
    const auto end = cancelled_after(threads.run([] {}), [] {});
    EXPECT_TRUE(is_aborted(end.failure));
  }
  std::atomic<bool> ran = false;
  // Would block for ever if the place were still taken.
  threads.post([&] { ran = true; });
  busy.open();
  run(threads.run([] {}));
  EXPECT_TRUE(ran);
}

TEST(thread_pool, run_from_inside_a_full_pool_is_no_deadlock) {
  thread_pool threads(bounded(1, 1));
  std::vector<awaitable<int>> all;
  for (int i = 0; i < 50; ++i) all.push_back(threads.run(nested, std::cref(threads), 3));
  for (const int n : run(gather(std::move(all)))) EXPECT_EQ(n, 4);
}

// ---- ends

TEST(thread_pool, its_end_waits_for_all_that_is_queued) {
  std::atomic<int> ran = 0;
  {
    thread_pool threads(sized(2));
    for (int i = 0; i < 100; ++i) threads.post([&] { threads.post([&] { ++ran; }); });
  }
  EXPECT_EQ(ran, 100);
}

TEST(thread_pool, its_end_may_drop_what_is_queued_and_stop_what_runs) {
  std::atomic<int> ran = 0, alive = 0;
  std::atomic<bool> was_stopped = false;
  std::exception_ptr running_failure, queued_failure;
  std::binary_semaphore running(0), all_queued(0);
  std::jthread loops;
  {
    thread_pool threads(sized(1, shutdown::cancel));
    const auto until_stopped = [&](std::stop_token stop) {
      running.release();
      std::binary_semaphore stopped(0);
      const std::stop_callback on_stop(stop, [&] { stopped.release(); });
      stopped.acquire();
      was_stopped = true;
      throw std::runtime_error("stopped");
    };
    const auto queued = [&, c = counted(alive)] { ++ran; };
    loops = std::jthread([&] {
      const auto catching = [](awaitable<void> work, std::exception_ptr& failure) -> awaitable<void> {
        try {
          co_await std::move(work);
        } catch (...) {
          failure = std::current_exception();
        }
      };
      const auto says_so = [&]() -> awaitable<void> {
        all_queued.release();
        co_return;
      };
      run(gather(catching(threads.run(until_stopped), running_failure),
                 catching(threads.run(queued), queued_failure), says_so()));
    });
    all_queued.acquire();
    running.acquire();
    for (int i = 0; i < 200; ++i) threads.post([&, c = counted(alive)] { ++ran; });
  }
  loops.join();
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(ran, 0);
  EXPECT_TRUE(was_stopped);
  EXPECT_THROW(std::rethrow_exception(running_failure), cancelled);
  EXPECT_THROW(std::rethrow_exception(queued_failure), cancelled);
}

TEST(thread_pool, a_call_made_before_and_awaited_after_the_end_is_cancelled) {
  std::optional<thread_pool> threads(sized(1));
  auto call = threads->run(add, 1, 2);
  threads.reset();
  EXPECT_THROW(run(std::move(call)), cancelled);
}

TEST(thread_pool, who_waits_for_a_place_when_it_ends_is_cancelled) {
  std::exception_ptr failure;
  gate busy;
  std::binary_semaphore waits(0);
  std::jthread loop;
  {
    thread_pool threads(bounded(1, 1));
    threads.post([&] { busy.pass(); });
    busy.wait_until_reached();
    threads.post([] {});
    auto call = threads.run([] {});
    loop = std::jthread([&] {
      const auto catching = [&]() -> awaitable<void> {
        try {
          co_await std::move(call);
        } catch (...) {
          failure = std::current_exception();
        }
      };
      const auto says_so = [&]() -> awaitable<void> {
        waits.release();
        co_return;
      };
      run(gather(catching(), says_so()));
      busy.open();
    });
    waits.acquire();
  }
  loop.join();
  EXPECT_THROW(std::rethrow_exception(failure), cancelled);
}

TEST(thread_pool, the_loop_may_end_while_its_work_runs_and_is_queued) {
  std::atomic<int> alive = 0;
  std::atomic<bool> stopped = false, ran = false;
  {
    thread_pool threads(sized(1));
    std::binary_semaphore running(0);
    {
      asio::io_context loop(1);
      const auto f = [&](std::stop_token stop, counted) {
        running.release();
        std::binary_semaphore heard(0);
        const std::stop_callback on_stop(stop, [&] { heard.release(); });
        heard.acquire();
        stopped = true;
        throw std::runtime_error("nobody hears this");
      };
      const auto queued = [&, c = counted(alive)] { ran = true; };
      asio::co_spawn(loop, threads.run(f, counted(alive)), asio::detached);
      asio::co_spawn(loop, threads.run(queued), asio::detached);
      loop.poll();
      running.acquire();
    }
  }
  EXPECT_TRUE(stopped);
  EXPECT_FALSE(ran);
  EXPECT_EQ(alive, 0);
}

TEST(thread_pool, the_loop_may_end_while_it_waits_for_a_place) {
  thread_pool threads(bounded(1, 1));
  gate busy;
  threads.post([&] { busy.pass(); });
  busy.wait_until_reached();
  {
    asio::io_context loop(1);
    for (int i = 0; i < 3; ++i) asio::co_spawn(loop, threads.run([] {}), asio::detached);
    loop.poll();
  }
  busy.open();
  run(threads.run([] {}));
}

TEST(thread_pool, pools_come_and_go_with_work_in_flight) {
  for (int i = 0; i < 100; ++i) {
    const auto end = i % 2 ? shutdown::cancel : shutdown::drain;
    std::optional<thread_pool> threads(bounded(2, i % 3 ? 0 : 4, end));
    std::atomic<int> ended = 0;
    std::binary_semaphore begun(0);
    std::jthread loop([&] {
      const auto one = [&](awaitable<int> call) -> awaitable<void> {
        try {
          co_await std::move(call);
        } catch (const cancelled&) {
        }
        ++ended;
      };
      std::vector<awaitable<void>> all;
      for (int n = 0; n < 50; ++n) all.push_back(one(threads->run(add, n, 1)));
      begun.release();
      run(gather(std::move(all)));
    });
    begun.acquire();
    threads.reset();
    loop.join();
    EXPECT_EQ(ended, 50);
  }
}

TEST(thread_pool, calls_may_come_one_by_one_while_the_pool_ends) {
  for (int i = 0; i < 100; ++i) {
    std::optional<thread_pool> threads(bounded(4, 0));
    std::binary_semaphore begun(0);
    int ended = 0;
    std::jthread loop([&] {
      std::vector<awaitable<int>> all;
      for (int n = 0; n < 100; ++n) all.push_back(threads->run(add, n, 1));
      begun.release();
      const auto in_turn = [&]() -> awaitable<void> {
        for (auto& call : all) {
          try {
            co_await std::move(call);
          } catch (const cancelled&) {
          }
          ++ended;
        }
      };
      run(in_turn());
    });
    begun.acquire();
    threads.reset();
    loop.join();
    EXPECT_EQ(ended, 100);
  }
}

TEST(thread_pool, random_cancellations_lose_nothing) {
  thread_pool threads(bounded(2, 8));
  std::atomic<int> started = 0, ended = 0;
  int values = 0, aborted = 0;
  const auto work = [&] {
    ++started;
    std::this_thread::yield();
    ++ended;
  };
  const auto one = [&](int n) -> awaitable<void> {
    auto call = with_timeout(threads.run(work), std::chrono::microseconds(n % 7 * 50));
    try {
      co_await std::move(call);
      ++values;
    } catch (const timed_out&) {
      ++aborted;
    }
  };
  std::vector<awaitable<void>> all;
  for (int n = 0; n < 500; ++n) all.push_back(one(n));
  run(gather(std::move(all)));
  EXPECT_EQ(values + aborted, 500);
  EXPECT_GE(started, values);
  run(threads.run([] {}));
}

}  // namespace
}  // namespace quarq::test
