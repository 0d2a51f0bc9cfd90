// How long a cancellation takes to its far end: A calls B, B calls C, and A's caller goes away. All are processes of one
// machine, so they share a clock.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <quarq/event.hpp>
#include <quarq/rpc/http_machines.hpp>
#include <quarq/rpc/server.hpp>
#include <quarq/run.hpp>
#include <quarq/task_group.hpp>
#include <quarq/time.hpp>

#include "bench.hpp"

namespace quarq::bench {
namespace {

inline constexpr task<void()> stay{"stay"};
inline constexpr task<void()> wait_for_begin{"wait_for_begin"};
inline constexpr task<std::int64_t()> when_cancelled{"when_cancelled"};

std::int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// What C has seen of the call that is under way.
struct far_end {
  event begun, cancelled;
  std::int64_t cancelled_at = 0;
};

awaitable<void> stay_at_far_end(context& ctx) {
  auto& seen = ctx.state<far_end>();
  seen.begun.set();
  try {
    co_await sleep_for(std::chrono::minutes(1));
  } catch (...) {
    seen.cancelled_at = now_ns();
    seen.cancelled.set();
    throw;
  }
}

awaitable<void> do_wait_for_begin(context& ctx) {
  auto& seen = ctx.state<far_end>();
  co_await seen.begun.wait();
  seen.begun.clear();
}

awaitable<std::int64_t> do_when_cancelled(context& ctx) {
  auto& seen = ctx.state<far_end>();
  co_await seen.cancelled.wait();
  seen.cancelled.clear();
  co_return seen.cancelled_at;
}

awaitable<void> stay_at_next(context& ctx) {
  const auto hosts = ctx.state<http_machines>().within(ctx);
  co_await hosts.run(stay);
}

awaitable<void> begin_far_end(context& ctx) {
  ctx.emplace<far_end>();
  co_return;
}

awaitable<void> begin_hop(context& ctx, std::vector<std::string> next) {
  ctx.emplace<http_machines>(std::move(next));
  co_return;
}

awaitable<void> serve_these(const handlers& all, std::function<awaitable<void>(context&)> on_startup) {
  rpc::server_options options;
  options.http.port = 0;
  options.calls.on_startup = std::move(on_startup);
  rpc::server server(all, options);
  fmt::print("{}\n", server.listen());
  std::fflush(stdout);
  co_await server.run();
}

/// A call under way is cancelled; how long until C's handler was, in seconds.
awaitable<double> cancel_one(const http_machines& near, const http_machines& far) {
  std::int64_t began = 0;
  const auto body = [&](task_group& group) -> awaitable<void> {
    group.spawn(near.run(stay));
    co_await far.run(wait_for_begin);
    began = now_ns();
    group.cancel();
  };
  co_await with_task_group(body);
  const auto at = co_await far.run(when_cancelled);
  co_return static_cast<double>(at - began) / 1e9;
}

awaitable<std::vector<double>> cancel_many(std::string near, std::string far, std::size_t count) {
  const http_machines first({std::move(near)}), last({std::move(far)});
  std::vector<double> times;
  for (std::size_t i = 0; i < count; ++i) {
    const double seconds = co_await cancel_one(first, last);
    times.push_back(seconds);
  }
  co_return times;
}

}  // namespace

int serve_far_end() {
  handlers all;
  all.handle(stay, stay_at_far_end)
      .handle(wait_for_begin, do_wait_for_begin)
      .handle(when_cancelled, do_when_cancelled);
  return quarq::main(serve_these(all, begin_far_end));
}

int serve_hop(const std::string& next_port) {
  handlers all;
  all.handle(stay, stay_at_next);
  const std::vector<std::string> next{"http://127.0.0.1:" + next_port};
  const auto on_startup = [next](context& ctx) { return begin_hop(ctx, next); };
  return quarq::main(serve_these(all, on_startup));
}

std::vector<double> cancel_times(const std::string& near_port, const std::string& far_port, int count) {
  const std::string here = "http://127.0.0.1:";
  return run(cancel_many(here + near_port, here + far_port, static_cast<std::size_t>(count)));
}

}  // namespace quarq::bench
