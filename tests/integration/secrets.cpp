// What nobody may see. The log is at its finest, and a job with a secret among its arguments, the password of its store
// and the tokens of requests go where they have to, through every failure: nothing that is printed or thrown shows them.
#include "support/secrets.hpp"

#include <array>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/describe.hpp>

#include <quarq/debug.hpp>
#include <quarq/http/client.hpp>
#include <quarq/http/middleware.hpp>
#include <quarq/model.hpp>
#include <quarq/rpc/http_machines.hpp>
#include <quarq/rpc/server.hpp>

#include "integration/worker_test.hpp"
#include "support/captured_log.hpp"
#include "support/redis_server.hpp"
#include "support/served.hpp"

namespace quarq::test::secrets_tests {

struct account {
  std::string name;
  secret<std::string> password;
};
BOOST_DESCRIBE_STRUCT(account, (), (name, password))
QUARQ_MODEL(account, field(&account::name).length(1, 8), field(&account::password).length(8))

/// As an older program has it: any password will do.
struct old_account {
  std::string name;
  std::string password;
};
BOOST_DESCRIBE_STRUCT(old_account, (), (name, password))

/// Contains itself, and a secret far within.
struct chain {
  std::vector<chain> next;
  std::map<std::string, std::optional<std::pair<int, secret<int>>>> pins;
};
BOOST_DESCRIBE_STRUCT(chain, (), (next, pins))
struct link {
  std::vector<link> next;
};
BOOST_DESCRIBE_STRUCT(link, (), (next))

static_assert(quarq::detail::holds_secret<account>() && quarq::detail::holds_secret<chain>());
static_assert(quarq::detail::holds_secret<std::array<std::variant<int, secret<int>>, 2>>());
static_assert(!quarq::detail::holds_secret<old_account>() && !quarq::detail::holds_secret<link>());
static_assert(!quarq::detail::holds_secret<void>() && !quarq::detail::holds_secret<std::chrono::seconds>());

namespace {

constexpr task<account(int)> find_account{"find_account", "number"};
constexpr task<void(account)> open_account{"open_account", "who"};
constexpr task<void(old_account)> open_old_account{"open_account", "who"};

account good_account() {
  return {"ann", secret<std::string>("hunter2-of-ann")};
}

/// Everything that a program could show of what happened.
class shown {
 public:
  template <class T>
  awaitable<void> error_of(awaitable<T> work) {
    const auto t = co_await test::error_of(std::move(work));
    EXPECT_NE(t.error, nullptr);
    add(t.what);
  }
  void add(const std::string& text) { all_ << text << "\n"; }
  std::string text() const { return all_.str(); }

 private:
  std::ostringstream all_;
};

TEST(secrets, of_jobs_and_of_their_store_are_in_no_error_and_no_log) {
  redis_server store({.password = "hunter2-of-store"});
  shown all;
  const captured_log log;
  worker w({.broker = store.url()});
  w.handle(open_account,
           [](const account& who) -> void { throw std::runtime_error("the bank is closed to " + who.name); });
  w.handle(find_account, [](int) { return good_account(); });
  w.options().log_results = true;
  const auto client = [&]() -> awaitable<void> {
    const queue q(store.url());
    auto finding = find_account(7);
    const auto found = co_await q.enqueue(std::move(finding));
    const auto ann = co_await found.result(default_timeout);
    EXPECT_EQ(ann.password.expose(), "hunter2-of-ann");
    const auto good = good_account();
    auto call = open_account(good).attempts(2).backoff(backoff::constant(1ms));
    const auto failing = co_await q.enqueue(std::move(call));
    co_await all.error_of(failing.result(default_timeout));
    const old_account old{"ann", "hunter2"};
    auto old_call = open_old_account(old);
    const auto bad = co_await q.enqueue(std::move(old_call));
    co_await all.error_of(bad.result(default_timeout));
    const auto info = co_await bad.info();
    all.add(info.error);
    const queue refused("redis://:another-hunter2@" + store.endpoint() + "?timeout=0.5");
    auto again = open_account(good);
    co_await all.error_of(refused.enqueue(std::move(again)));
  };
  run_on_loop(alongside(w, client()));
  EXPECT_TRUE(log.has("args=[\"******\"]")) << log.text();
  EXPECT_TRUE(log.has("args=[7]") && log.has("result=\"******\"")) << log.text();
  EXPECT_NE(all.text().find("the bank is closed to ann"), std::string::npos) << all.text();
  EXPECT_NE(all.text().find("(who): password: String should have at least 8"), std::string::npos)
      << all.text();
  EXPECT_NE(all.text().find("WRONGPASS"), std::string::npos) << all.text();
  EXPECT_EQ(line_with_secret(all.text()), "");
  EXPECT_EQ(line_with_secret(log.text()), "");
}

TEST(secrets, of_requests_are_in_no_error_and_no_log) {
  shown all;
  const captured_log log;
  handlers tasks;
  tasks.handle(open_account,
               [](const account& who) -> void { throw std::runtime_error("closed to " + who.name); });
  rpc::server_options any_port;
  any_port.http.port = 0;
  rpc::server server(tasks, any_port);
  server.http().use(http::access_log()).use(http::bearer_auth("hunter2-of-hosts"));
  const served_calls running(server);
  const auto url = "http://127.0.0.1:" + std::to_string(running.port);
  const auto client = [&]() -> awaitable<void> {
    const http_machines hosts({url}, {.token = "hunter2-of-hosts"}),
        others({url}, {.token = "another-hunter2"});
    const auto good = good_account();
    auto call = open_account(good), same = open_account(good);
    co_await all.error_of(hosts.run(std::move(call)));
    co_await all.error_of(others.run(std::move(same)));
    const old_account old{"ann", "hunter2"};
    auto bad = open_old_account(old);
    co_await all.error_of(hosts.run(std::move(bad)));

    http::client web;
    const auto nobody = "http://ann:hunter2@127.0.0.1:1/";
    co_await all.error_of(web.get(nobody, {.bearer = "hunter2"}));
    const auto described =
        co_await web.get(url + "/openapi.json?key=hunter2", {.bearer = "hunter2-of-hosts"});
    EXPECT_EQ(described.status, 200);
    all.add(described.body);
  };
  run_on_loop(client());
  EXPECT_TRUE(log.has("/openapi.json")) << log.text();
  EXPECT_NE(all.text().find("closed to ann"), std::string::npos) << all.text();
  EXPECT_NE(all.text().find("\"writeOnly\": true"), std::string::npos) << all.text();
  EXPECT_EQ(line_with_secret(all.text()), "");
  EXPECT_EQ(line_with_secret(log.text()), "");
}

TEST(secrets, are_not_debugged) {
  EXPECT_EQ(line_with_secret(format_pretty(good_account())), "");
  testing::internal::CaptureStderr();
  static_cast<void>(QUARQ_DEBUG(good_account(), good_account().password));
  EXPECT_EQ(line_with_secret(testing::internal::GetCapturedStderr()), "");
}

TEST(secrets, are_found_where_they_are_shown) {
  EXPECT_EQ(line_with_secret("one\ntwo hunter2 three\nfour"), "two hunter2 three");
  EXPECT_EQ(line_with_secret("Authorization: Basic YWRtOmh1bnRlcjI=\r\n"),
            "Authorization: Basic YWRtOmh1bnRlcjI=\r");
  EXPECT_EQ(line_with_secret("hunter, 2"), "");
}

}  // namespace
}  // namespace quarq::test::secrets_tests
