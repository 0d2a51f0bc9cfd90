// What a call hands on at each hop: its deadline and its cancellation. A calls B, B calls C, and C uses a queue.
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/machines.hpp>
#include <quarq/rpc/http_machines.hpp>
#include <quarq/rpc/server.hpp>
#include <quarq/task_group.hpp>
#include <quarq/time.hpp>
#include <quarq/worker.hpp>

#include "base/log.hpp"
#include "support/errors.hpp"
#include "support/on_loop.hpp"
#include "support/served.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::rpc_deadline_tests {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

inline constexpr task<int(int)> first{"first"}, second{"second"}, third{"third"}, last{"last"};
inline constexpr task<int(int)> first_alone{"first_alone"};

/// How much time each handler had when it began, in the order of their calls.
class seen_calls {
 public:
  void note(const context& ctx) {
    const std::lock_guard lock(mutex_);
    std::optional<steady::duration> left;
    if (ctx.deadline()) left = *ctx.deadline() - steady::now();
    left_.push_back(left);
  }
  std::vector<std::optional<steady::duration>> left() {
    const std::lock_guard lock(mutex_);
    return left_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::optional<steady::duration>> left_;
};

/// Where the next hop is: in the state of each handler.
struct next_hop {
  std::string host;
  const task<int(int)>* what = nullptr;
  seen_calls* seen = nullptr;
};

awaitable<int> call_next(context& ctx, int n) {
  const auto& next = ctx.state<next_hop>();
  next.seen->note(ctx);
  const auto hosts = http_machines({next.host}).within(ctx);
  const int result = co_await hosts.run(*next.what, n);
  co_return result;
}

awaitable<int> call_queue(context& ctx, int n) {
  ctx.state<next_hop>().seen->note(ctx);
  const auto workers = ctx.machines("default");
  const int result = co_await workers.run(last, n);
  co_return result;
}

awaitable<void> begin_with(context& ctx, next_hop next) {
  ctx.emplace<next_hop>(std::move(next));
  co_return;
}

rpc::server_options options_of(next_hop next, std::string broker = {}) {
  rpc::server_options o;
  o.http.port = 0;
  o.calls.broker = std::move(broker);
  o.calls.on_startup = [next](context& ctx) { return begin_with(ctx, next); };
  return o;
}

template <class F>
handlers one(const task<int(int)>& what, F f, handler_options how = {}) {
  base::set_log_level("off");
  handlers all;
  all.handle(what, f, how);
  return all;
}

std::string at(std::uint16_t port) {
  return "http://127.0.0.1:" + std::to_string(port);
}

awaitable<void> call_until_cancelled(http_machines where) {
  const int result = co_await where.run(first, -1);
  ADD_FAILURE() << "it has ended with " << result;
}

/// C with a worker behind it, B and A.
class rpc_chain : public testing::Test {
 protected:
  explicit rpc_chain() {
    worker_.options().broker = broker_;
    worker_.options().cancel_timeout = 300ms;
    worker_.handle(last, [this](context& ctx, int n) -> awaitable<int> {
      seen_.note(ctx);
      ++reached_;
      if (n < 0) co_await stay();
      co_return n + 1;
    });
    working_ = std::thread([this] { quarq::run(worker_.run()); });
  }
  ~rpc_chain() override {
    worker_.stop();
    worker_.stop();
    working_.join();
  }

  awaitable<void> stay() {
    try {
      co_await sleep_for(1min);
    } catch (...) {
      ++cancelled_;
      throw;
    }
  }

  temp_dir folder_;
  std::string broker_ = "sqlite:" + (folder_.path() / "jobs.db").string();
  seen_calls seen_;
  std::atomic<int> reached_ = 0, cancelled_ = 0;
  worker worker_;
  std::thread working_;
  rpc::server c_{one(third, call_queue), options_of({{}, nullptr, &seen_}, broker_)};
  served_calls c_runs_{c_};
  rpc::server b_{one(second, call_next), options_of({at(c_runs_.port), &third, &seen_})};
  served_calls b_runs_{b_};
  rpc::server a_{one(first, call_next), options_of({at(b_runs_.port), &second, &seen_})};
  served_calls a_runs_{a_};
  http_machines hosts_{{at(a_runs_.port)}};
};

TEST_F(rpc_chain, the_deadline_is_nearer_at_each_hop) {
  EXPECT_EQ(run_on_loop(hosts_.with_deadline(20s).run(first, 1)), 2);
  const auto left = seen_.left();
  ASSERT_EQ(left.size(), 4u);
  steady::duration before = 20s;
  for (const auto& one : left) {
    ASSERT_TRUE(one.has_value());
    EXPECT_LT(*one, before);
    before = *one;
  }
}

TEST_F(rpc_chain, nothing_has_a_deadline_where_the_caller_has_none) {
  const auto unlimited = hosts_.with_deadline(std::nullopt);
  EXPECT_EQ(run_on_loop(unlimited.run(first, 1)), 2);
  const auto left = seen_.left();
  ASSERT_EQ(left.size(), 4u);
  EXPECT_FALSE(left[0].has_value());
  EXPECT_TRUE(left[1].has_value()) << "A's own http_machines have one";
}

TEST_F(rpc_chain, a_cancelled_call_is_cancelled_at_its_far_end) {
  run_on_loop([&]() -> awaitable<void> {
    const auto body = [&](task_group& group) -> awaitable<void> {
      group.spawn(call_until_cancelled(hosts_));
      co_await until([&] { return reached_ == 1; });
      group.cancel();
    };
    co_await with_task_group(body);
    co_await until([&] { return cancelled_ == 1; });
  });
}

TEST_F(rpc_chain, the_deadline_ends_the_far_end_too) {
  const auto said = run_on_loop(error_of<timed_out>(hosts_.with_deadline(700ms).run(first, -1)));
  EXPECT_NE(said, "(no error)");
  run_on_loop([&]() -> awaitable<void> {
    if (reached_ == 0) co_return;
    co_await until([&] { return cancelled_ == 1; });
  });
}

TEST(rpc_deadline, is_kept_from_what_a_handler_calls_if_its_task_says_so) {
  seen_calls seen;
  rpc::server b(one(second,
                    [&seen](context& ctx, int n) {
                      seen.note(ctx);
                      return n;
                    }),
                options_of({}));
  const served_calls b_runs(b);
  rpc::server a(one(first_alone, call_next, {.pass_deadline = false}),
                options_of({at(b_runs.port), &second, &seen}));
  const served_calls a_runs(a);
  const auto hosts = http_machines({at(a_runs.port)}).with_deadline(10s);
  EXPECT_EQ(run_on_loop(hosts.run(first_alone, 1)), 1);
  const auto left = seen.left();
  ASSERT_EQ(left.size(), 2u);
  EXPECT_LE(*left[0], 10s);
  EXPECT_GT(*left[1], 10s) << "it has the minute of A's own http_machines";
}

TEST(rpc_deadline, is_that_of_jobs_which_a_handler_enqueues) {
  temp_dir folder;
  const std::string broker = "sqlite:" + (folder.path() / "jobs.db").string();
  const next_hop nowhere{};
  rpc::server a(one(first,
                    [](context& ctx, int) -> awaitable<int> {
                      const quarq::enqueue_options there{.queue = "default"};
                      auto soon = last(1).id("soon");
                      co_await ctx.enqueue(std::move(soon), there);
                      auto later = last(1).id("later").delay(1h);
                      co_await ctx.enqueue(std::move(later), there);
                      co_return 0;
                    }),
                options_of(nowhere, broker));
  const served_calls runs(a);
  const auto hosts = http_machines({at(runs.port)}).with_deadline(10s);
  EXPECT_EQ(run_on_loop(hosts.run(first, 1)), 0);
  run_on_loop([&]() -> awaitable<void> {
    const queue jobs(broker);
    const auto soon = co_await jobs.find<int>("soon").info();
    const auto expires_after = soon.expires_at.value() - soon.enqueued_at.value();
    EXPECT_LE(expires_after, 10s);
    const auto later = co_await jobs.find<int>("later").info();
    EXPECT_FALSE(later.expires_at.has_value()) << "it is meant for after the call";
  });
}

}  // namespace
}  // namespace quarq::test::rpc_deadline_tests
