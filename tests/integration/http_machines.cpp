// Several hosts: which of them a call goes to, and what becomes of it when they fail.
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/gather.hpp>
#include <quarq/http/server.hpp>
#include <quarq/rpc/http_machines.hpp>
#include <quarq/rpc/server.hpp>
#include <quarq/time.hpp>

#include "base/log.hpp"
#include "support/errors.hpp"
#include "support/on_loop.hpp"
#include "support/served.hpp"

namespace quarq::test::http_machines_tests {
namespace {

using namespace std::chrono_literals;

inline constexpr task<int(int)> twice{"twice", "n"};
inline constexpr task<int()> attempt{"attempt"};
inline constexpr task<int(std::string)> odd_name{"a task/with a name?"};

/// A host that counts, and may be told how to answer.
class host {
 public:
  host() : server_(all(), options()), running_(std::make_unique<served_calls>(server_)) {}
  std::string url() const { return "http://127.0.0.1:" + std::to_string(running_->port); }
  void end() { running_.reset(); }

  std::atomic<int> calls = 0;
  /// So many calls fail as of a handler that is not ready.
  std::atomic<int> unready = 0;
  std::atomic<bool> hangs = false;

 private:
  handlers all() {
    base::set_log_level("off");
    handlers h;
    h.handle(twice, [this](int n) -> awaitable<int> {
      ++calls;
      if (unready-- > 0) throw retry_after(0ms, "not ready");
      while (hangs) co_await sleep_for(10ms);
      co_return 2 * n;
    });
    h.handle(attempt, [this](context& ctx) {
      if (unready-- > 0) throw retry_after(0ms, "not ready");
      return ctx.attempt();
    });
    h.handle(odd_name, [](const std::string& text) { return static_cast<int>(text.size()); });
    return h;
  }
  static rpc::server_options options() {
    rpc::server_options o;
    o.http.port = 0;
    o.calls.threads = 1;
    return o;
  }
  rpc::server server_;
  std::unique_ptr<served_calls> running_;
};

awaitable<void> call_many(const http_machines& hosts, int count) {
  for (int i = 0; i < count; ++i) {
    const int got = co_await hosts.run(twice, i);
    EXPECT_EQ(got, 2 * i);
  }
}

std::string closed_port() {
  return "http://127.0.0.1:1";
}

TEST(http_machines, share_calls_among_hosts) {
  host a, b;
  const http_machines hosts({a.url(), b.url()});
  run_on_loop(call_many(hosts, 20));
  EXPECT_EQ(a.calls, 10);
  EXPECT_EQ(b.calls, 10);
}

TEST(http_machines, give_nothing_to_a_host_that_hangs_while_another_is_free) {
  host a, b;
  const http_machines hosts({a.url(), b.url()});
  a.hangs = true;
  run_on_loop([&]() -> awaitable<void> {
    const auto others = [&]() -> awaitable<int> {
      co_await until([&] { return a.calls > 0; });
      co_await call_many(hosts, 20);
      a.hangs = false;
      co_return 0;
    };
    auto both = gather(hosts.run(twice, 1), others());
    co_await std::move(both);
  });
  EXPECT_EQ(a.calls, 1);
  EXPECT_EQ(b.calls, 20);
}

TEST(http_machines, ask_another_host_where_one_can_not_be_reached) {
  host good;
  const http_machines hosts({closed_port(), good.url()});
  run_on_loop(call_many(hosts, 10));
  EXPECT_EQ(good.calls, 10);
}

TEST(http_machines, say_why_no_host_answers) {
  const http_machines hosts({closed_port()});
  try {
    run_on_loop(hosts.run(twice, 1));
    ADD_FAILURE();
  } catch (const rpc::call_error& e) {
    EXPECT_EQ(e.code(), rpc::code::unavailable);
    EXPECT_NE(std::string(e.what()).find("127.0.0.1:1"), std::string::npos) << e.what();
  }
}

TEST(http_machines, tell_hosts_the_number_of_the_attempt) {
  host a;
  const http_machines hosts({a.url()});
  a.unready = 2;
  EXPECT_EQ(run_on_loop(hosts.idempotent().run(attempt)), 3);
  EXPECT_EQ(run_on_loop(hosts.run(attempt)), 1);
}

TEST(http_machines, send_what_may_have_begun_once_unless_that_is_allowed) {
  host a;
  const http_machines hosts({a.url()});
  a.unready = 1;
  EXPECT_NE(run_on_loop(error_of<rpc::call_error>(hosts.run(twice, 1))), "(no error)");
  EXPECT_EQ(a.calls, 1);
  a.unready = 1;
  EXPECT_EQ(run_on_loop(hosts.run(twice(1).attempts(2))), 2);
  EXPECT_EQ(a.calls, 3);
}

TEST(http_machines, leave_a_host_that_takes_too_long_where_that_is_allowed) {
  host slow, quick;
  slow.hangs = true;
  http_machines_options options;
  options.idempotent = true;
  options.attempt_timeout = 50ms;
  const http_machines hosts({slow.url(), quick.url()}, options);
  run_on_loop(call_many(hosts, 10));
  slow.hangs = false;
}

TEST(http_machines, send_again_what_a_busy_server_has_not_begun) {
  http::server_options small;
  small.port = 0;
  http::server web(small);
  int asked = 0;
  web.post("/rpc/twice", [&asked] {
    if (++asked == 1) throw http::problem(503, "too many requests are being handled", {{"Retry-After", "0"}});
    return http::json(7);
  });
  const served run(web);
  const http_machines hosts({"http://127.0.0.1:" + std::to_string(run.port)});
  EXPECT_EQ(run_on_loop(hosts.run(twice, 1)), 7);
}

TEST(http_machines, throw_at_their_deadline) {
  host a;
  a.hangs = true;
  const http_machines hosts({a.url()});
  const auto said = run_on_loop(error_of<timed_out>(hosts.with_deadline(80ms).run(twice, 1)));
  EXPECT_NE(said, "(no error)");
  const auto own = run_on_loop(error_of<timed_out>(hosts.run(twice(1).timeout(80ms))));
  EXPECT_NE(own, "(no error)");
  a.hangs = false;
}

TEST(http_machines, name_tasks_as_they_are_called) {
  host a;
  const http_machines hosts({a.url() + "/"});
  EXPECT_EQ(run_on_loop(hosts.run(odd_name, "four")), 4);
}

TEST(http_machines, refuse_what_only_a_queue_can_do) {
  const http_machines hosts({closed_port()});
  const auto said = [&](call<int> c) { return run_on_loop(error_of<usage_error>(hosts.run(std::move(c)))); };
  EXPECT_EQ(said(twice(1).delay(1s)), "twice: option delay: a call over HTTP is no job: enqueue it");
  EXPECT_EQ(said(twice(1).id("x")), "twice: option id: a call over HTTP is no job: enqueue it");
  EXPECT_EQ(said(twice(1).attempts(6)), "twice: option attempts: expected 1 to 5, got 6");
}

TEST(http_machines, refuse_what_makes_no_sense) {
  EXPECT_EQ(error_of<usage_error>([] { http_machines({}, {}); }),
            "http_machines: expected at least one host");
  EXPECT_EQ(error_of<usage_error>([] { http_machines({"localhost"}); }),
            "http_machines: expected a host as http://host:port, got \"localhost\"");
  http_machines_options options;
  options.max_attempts = 6;
  EXPECT_THROW(http_machines({closed_port()}, options), usage_error);
  EXPECT_THROW(http_machines({closed_port()}).with_deadline(0ms), usage_error);
}

}  // namespace
}  // namespace quarq::test::http_machines_tests
