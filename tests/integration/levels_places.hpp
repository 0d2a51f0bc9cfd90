// The levels that the tests in levels.cpp run work on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include <quarq/quarq.hpp>
#include <quarq/rpc/http_machines.hpp>
#include <quarq/rpc/server.hpp>

#include "integration/levels_work.hpp"
#include "integration/worker_test.hpp"
#include "support/served.hpp"

namespace quarq::test::levels_tests {

/// In what levels differ. As it is for threads:
template <class Where>
struct level_traits {
  static constexpr const char* name = "threads";
  /// The caller catches what was thrown, and not a call_failed about it.
  static constexpr bool exception_itself = true;
  /// A plain function does not keep the caller's loop from going on.
  static constexpr bool beside_the_loop = true;
  /// Cancelled work can do something about it, and is waited for. If not, it is killed.
  static constexpr bool work_hears_of_cancel = true;
};
template <>
struct level_traits<coroutines> : level_traits<void> {
  static constexpr const char* name = "coroutines";
  static constexpr bool beside_the_loop = false;
};
template <>
struct level_traits<process_pool> : level_traits<void> {
  static constexpr const char* name = "processes";
  static constexpr bool exception_itself = false;
  static constexpr bool work_hears_of_cancel = false;
};
template <>
struct level_traits<machines> : level_traits<void> {
  static constexpr const char* name = "machines";
  static constexpr bool exception_itself = false;
};

template <>
struct level_traits<http_machines> : level_traits<void> {
  static constexpr const char* name = "http_machines";
  static constexpr bool exception_itself = false;
};

template <class Where>
const Where* the_one_under_test = nullptr;

/// A function that runs another at its own level. (In a child process, which has no pool yet, it makes one.)
template <class Where>
int do_nest(int n) {
  if (the_one_under_test<Where> != nullptr)
    return quarq::run(the_one_under_test<Where>->run(do_twice_later, n));
  const Where own;
  return quarq::run(own.run(do_twice_later, n));
}
inline awaitable<int> do_nest_here(int n) {
  const coroutines here;
  const int result = co_await here.run(do_twice_later, n);
  co_return result;
}

/// A level where functions are run: coroutines, thread_pool, process_pool.
template <class Where>
class pool_level {
 public:
  using traits = level_traits<Where>;
  static std::string name() { return traits::name; }

  pool_level() { the_one_under_test<Where> = &where_; }
  ~pool_level() { the_one_under_test<Where> = nullptr; }
  pool_level(const pool_level&) = delete;
  pool_level& operator=(const pool_level&) = delete;

  const Where& where() const { return where_; }
  template <class Work>
  static auto pick(const Work&) {
    return Work::function;
  }
  static auto nested() {
    if constexpr (std::is_same_v<Where, coroutines>) {
      return do_nest_here;
    } else {
      return do_nest<Where>;
    }
  }

 private:
  static Where make() {
    if constexpr (requires { Where({.size = 4}); }) {
      return Where({.size = 4});
    } else {
      return Where();
    }
  }
  Where where_ = make();
};

inline awaitable<int> do_nest_on_machines(context& ctx, int n) {
  const auto& where = ctx.state<machines>();
  const int result = co_await where.run(twice_later.as_task, n);
  co_return result;
}

/// Machines, with one worker on a thread of its own.
template <int Broker>
class machines_level {
 public:
  using traits = level_traits<machines>;
  static const broker_kind& kind() { return broker_kinds().at(Broker); }
  static std::string name() { return std::string(traits::name) + "_" + kind().name; }

  machines_level() : where_(queue(place_->url())) {
    base::set_log_level("off");
    worker_.options().broker = place_->url();
    worker_.options().threads = 4;
    worker_.options().cancel_timeout = 300ms;
    worker_.on_startup([this](context& ctx) -> awaitable<void> {
      ctx.emplace<machines>(queue(place_->url()));
      co_return;
    });
    add(mark, twice, twice_later, wrap, wrap_later, fail, fail_later, refuse_odd, wait_for_gate,
        wait_with_token, fail_second);
    worker_.handle(nested_call, do_nest_on_machines);
    serving_ = std::thread([this] { quarq::run(worker_.run()); });
  }
  ~machines_level() {
    worker_.stop();
    worker_.stop();
    serving_.join();
  }
  machines_level(const machines_level&) = delete;
  machines_level& operator=(const machines_level&) = delete;

  const machines& where() const { return where_; }
  template <class Work>
  static const auto& pick(const Work& w) {
    return w.as_task;
  }
  static const auto& nested() { return nested_call; }

 private:
  template <class... Work>
  void add(const Work&... all) {
    (worker_.handle(all.as_task, Work::function), ...);
  }

  std::unique_ptr<broker_fixture> place_ = kind().make();
  machines where_;
  worker worker_;
  std::thread serving_;
};

inline awaitable<int> do_nest_over_http(context& ctx, int n) {
  const auto hosts = ctx.state<http_machines>().within(ctx);
  const int result = co_await hosts.run(twice_later.as_task, n);
  co_return result;
}

/// One host, served by a thread of its own with the handlers that a worker has.
class http_level {
 public:
  using traits = level_traits<http_machines>;
  static std::string name() { return traits::name; }

  http_level() : server_(handlers_of(), options()), running_(server_), where_(hosts(running_.port)) {}

  const http_machines& where() const { return where_; }
  template <class Work>
  static const auto& pick(const Work& w) {
    return w.as_task;
  }
  static const auto& nested() { return nested_call; }

 private:
  template <class... Work>
  static void add(handlers& to, const Work&... all) {
    (to.handle(all.as_task, Work::function), ...);
  }
  static handlers handlers_of() {
    base::set_log_level("off");
    handlers all;
    add(all, mark, twice, twice_later, wrap, wrap_later, fail, fail_later, refuse_odd, wait_for_gate,
        wait_with_token, fail_second);
    all.handle(nested_call, do_nest_over_http);
    return all;
  }
  rpc::server_options options() {
    rpc::server_options o;
    o.http.port = 0;
    o.calls.threads = 4;
    o.calls.cancel_timeout = 300ms;
    o.calls.on_startup = [this](context& ctx) -> awaitable<void> {
      ctx.emplace<http_machines>(hosts(running_.port));
      co_return;
    };
    return o;
  }
  static http_machines hosts(std::uint16_t port) {
    return http_machines({"http://127.0.0.1:" + std::to_string(port)});
  }

  rpc::server server_;
  served_calls running_;
  http_machines where_;
};

}  // namespace quarq::test::levels_tests
