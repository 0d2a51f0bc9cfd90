// A server of RPC, asked by requests that anybody could send.
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <gtest/gtest.h>

#include <quarq/http/client.hpp>
#include <quarq/http/middleware.hpp>
#include <quarq/model.hpp>
#include <quarq/rpc/errors.hpp>
#include <quarq/rpc/server.hpp>
#include <quarq/time.hpp>

#include "support/captured_log.hpp"
#include "support/errors.hpp"
#include "support/on_loop.hpp"
#include "support/served.hpp"

namespace quarq::test::rpc_server_tests {

using namespace std::chrono_literals;

struct order {
  std::string item;
  int count = 0;
};
BOOST_DESCRIBE_STRUCT(order, (), (item, count))

struct customer {
  std::string name;
  int age = 0;
};
BOOST_DESCRIBE_STRUCT(customer, (), (name, age))
QUARQ_MODEL(customer, field(&customer::name).length(1, 80), field(&customer::age).range(0, 150))

namespace {

inline constexpr task<int(int, int)> add{"add", "a", "b"};
inline constexpr task<std::string(order)> buy{"buy", "what"};
inline constexpr task<void(customer)> greet{"greet", "who"};
inline constexpr task<void(customer)> greet_apart{"greet_apart", "who"};
inline constexpr task<void()> nothing{"nothing"};
inline constexpr task<void(std::string)> talk{"talk", "text"};
inline constexpr task<void(std::string)> talk_apart{"talk_apart", "text"};
inline constexpr task<void(std::string)> fail{"fail", "how"};
inline constexpr task<std::string()> whoami{"whoami"};
inline constexpr task<void()> stay{"stay"};

void do_fail(const std::string& how) {
  if (how == "not_found") throw rpc::call_error(rpc::code::not_found, "there is no user 7");
  if (how == "later") throw quarq::retry_after(3s, "not now");
  throw std::runtime_error(how);
}

awaitable<std::string> do_whoami(context& ctx) {
  std::string text = ctx.task() + " " + std::to_string(ctx.attempt()) + " " + ctx.traceparent();
  if (ctx.deadline()) text += " limited";
  co_return text;
}

std::atomic<int> stays_begun = 0, stays_cancelled = 0;

awaitable<void> do_stay() {
  ++stays_begun;
  try {
    co_await sleep_for(1min);
  } catch (...) {
    ++stays_cancelled;
    throw;
  }
}

void do_greet(const customer&) {}

void do_talk(context& ctx, const std::string& text) {
  ctx.log(text);
  ctx.progress(1, 2);
}

handlers all_handlers() {
  handlers all;
  all.handle(add, [](int a, int b) { return a + b; })
      .handle(buy, [](const order& what) { return std::to_string(what.count) + " " + what.item; })
      .handle(greet, do_greet)
      .handle(greet_apart, &do_greet, {.on = level::process})
      .handle(nothing, [] {})
      .handle(talk, do_talk)
      .handle(talk_apart, &do_talk, {.on = level::process})
      .handle(fail, do_fail)
      .handle(whoami, do_whoami)
      .handle(stay, do_stay);
  return all;
}

rpc::server_options any_port() {
  rpc::server_options options;
  options.http.port = 0;
  options.calls.threads = 2;
  return options;
}

class rpc_server : public testing::Test {
 protected:
  http::response post(const std::string& path, std::string_view body,
                      std::string_view type = "application/json", const http::fields& headers = {}) {
    http::request_options options;
    options.body = body;
    options.content_type = type;
    options.headers = headers;
    return run_on_loop(web_.post(url(path), options));
  }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(running_.port) + path;
  }

  captured_log log_;  // before the threads that log
  rpc::server server_{all_handlers(), any_port()};
  served_calls running_{server_};
  http::client web_;
};

TEST_F(rpc_server, takes_arguments_as_json) {
  auto answer = post("/rpc/add", "[1, 2]");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers["Content-Type"], "application/json");
  EXPECT_EQ(answer.body, "3");
  EXPECT_EQ(post("/rpc/add", "{\"b\": 1, \"a\": 41}").body, "42");
  EXPECT_EQ(post("/rpc/buy", "{\"what\": {\"item\": \"tea\", \"count\": 3}}").body, "\"3 tea\"");
  EXPECT_EQ(post("/rpc/nothing", "").body, "null");
}

TEST_F(rpc_server, takes_arguments_as_msgpack) {
  const auto answer = post("/rpc/add", encode_arguments(1, 2), "application/msgpack");
  EXPECT_EQ(answer.headers["Content-Type"], "application/msgpack");
  EXPECT_EQ(from_msgpack<int>(answer.body, "sum"), 3);
}

TEST_F(rpc_server, says_what_is_wrong_with_arguments) {
  auto answer = post("/rpc/add", "[1, \"two\"]");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.body,
            "{\"code\": \"invalid_argument\", \"message\": \"add: argument 2 (b): expected integer, got "
            "string\", \"details\": [{\"kind\": \"int_type\", \"path\": [\"b\"], \"message\": \"expected "
            "integer, got string\"}]}");
  answer = post("/rpc/buy", "[{\"item\": 5}]");
  EXPECT_EQ(answer.status, 422);
  EXPECT_NE(answer.body.find("\"path\": [\"what\", \"item\"]"), std::string::npos) << answer.body;
  answer = post("/rpc/add", "{\"a\": 1}");
  EXPECT_EQ(answer.status, 422);
  EXPECT_NE(answer.body.find("\"kind\": \"missing\", \"path\": [\"b\"]"), std::string::npos) << answer.body;
  EXPECT_EQ(post("/rpc/add", "[1, 2").status, 400);
  EXPECT_EQ(post("/rpc/add", "a=1&b=2", "application/x-www-form-urlencoded").status, 415);
}

TEST_F(rpc_server, says_all_that_is_wrong_with_an_argument_that_has_a_model_on_every_level) {
  const std::string details =
      "[{\"kind\": \"string_too_short\", \"path\": [\"who\", \"name\"], \"message\": \"String should "
      "have at least 1 character\"}, {\"kind\": \"less_than_equal\", \"path\": [\"who\", \"age\"], "
      "\"message\": \"Input should be less than or equal to 150\"}]";
  for (const char* task : {"greet", "greet_apart"}) {
    const auto answer = post(std::string("/rpc/") + task, "[{\"name\": \"\", \"age\": 200}]");
    EXPECT_EQ(answer.status, 422) << task;
    EXPECT_NE(answer.body.find("\"details\": " + details), std::string::npos) << answer.body;
  }
}

TEST_F(rpc_server, says_how_a_handler_failed) {
  auto answer = post("/rpc/fail", "[\"no space on device\"]");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body,
            "{\"code\": \"unknown\", \"message\": \"no space on device\", \"details\": [{\"type\": "
            "\"std::runtime_error\", \"message\": \"no space on device\"}]}");
  EXPECT_EQ(post("/rpc/fail", "[\"not_found\"]").status, 404);
  answer = post("/rpc/fail", "[\"later\"]");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers["Retry-After"], "3");
}

TEST_F(rpc_server, names_its_tasks_to_who_asks_for_another) {
  const auto answer = post("/rpc/subtract", "[1, 2]");
  EXPECT_EQ(answer.status, 501);
  EXPECT_NE(answer.body.find("unimplemented"), std::string::npos);
  EXPECT_NE(answer.body.find("add, buy"), std::string::npos) << answer.body;
}

TEST_F(rpc_server, describes_itself) {
  const auto described = run_on_loop(web_.get(url("/openapi.json")));
  EXPECT_EQ(described.headers["Content-Type"], "application/json");
  EXPECT_NE(described.body.find("\"/rpc/add\": {\"post\""), std::string::npos) << described.body;
  const auto page = run_on_loop(web_.get(url("/docs")));
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers["Content-Type"], "text/html; charset=utf-8");
}

TEST_F(rpc_server, tells_the_handler_of_attempt_trace_and_deadline) {
  EXPECT_EQ(post("/rpc/whoami", "").body, "\"whoami 1 \"");
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const http::fields headers{{"Quarq-Attempt", "3"}, {"traceparent", trace}, {"Connect-Timeout-Ms", "9000"}};
  EXPECT_EQ(post("/rpc/whoami", "", "application/json", headers).body, "\"whoami 3 " + trace + " limited\"");
}

TEST_F(rpc_server, what_handlers_say_is_in_its_log) {
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(
      post("/rpc/talk", "[\"one\\ntwo\\u001b[2J\"]", "application/json", {{"traceparent", trace}}).status,
      200);
  EXPECT_TRUE(log_.has(" trace_id=4bf92f3577b34da6a3ce929d0e0e4736: one\n")) << log_.text();
  EXPECT_TRUE(log_.has(": two\\x1b[2J\n")) << log_.text();
  EXPECT_TRUE(log_.has(": 1 of 2\n")) << log_.text();
  EXPECT_EQ(post("/rpc/talk_apart", "[\"apart\"]").status, 200);
  EXPECT_TRUE(log_.has("rpc: talk_apart id=")) << log_.text();
  EXPECT_TRUE(log_.has(": apart\n")) << log_.text();
}

TEST_F(rpc_server, never_begins_what_has_expired) {
  const int begun = stays_begun;
  const auto answer = post("/rpc/stay", "", "application/json", {{"Connect-Timeout-Ms", "0"}});
  EXPECT_EQ(answer.status, 504);
  EXPECT_NE(answer.body.find("deadline_exceeded"), std::string::npos);
  EXPECT_EQ(stays_begun, begun);
  EXPECT_EQ(post("/rpc/stay", "", "application/json", {{"Connect-Timeout-Ms", "1s"}}).status, 400);
}

TEST_F(rpc_server, ends_a_handler_at_its_deadline) {
  const int cancelled = stays_cancelled;
  const auto answer = post("/rpc/stay", "", "application/json", {{"Connect-Timeout-Ms", "50"}});
  EXPECT_EQ(answer.status, 504);
  EXPECT_EQ(stays_cancelled, cancelled + 1);
}

TEST_F(rpc_server, cancels_a_handler_whose_client_has_gone) {
  const int begun = stays_begun, cancelled = stays_cancelled;
  run_on_loop([&]() -> awaitable<void> {
    const auto t = co_await error_of<timed_out>(with_timeout(web_.post(url("/rpc/stay"), {}), 100ms));
    EXPECT_NE(t, "(no error)");
    co_await until([&] { return stays_cancelled > cancelled; });
  });
  EXPECT_EQ(stays_begun, begun + 1);
}

TEST(rpc_serve, stands_beside_other_routes) {
  http::server_options options;
  options.port = 0;
  http::server web(options);
  web.get("/health", [] { return std::string("ok"); });
  rpc::service_options how;
  how.on_startup = [](context& ctx) -> awaitable<void> {
    ctx.emplace<std::string>("shared");
    co_return;
  };
  handlers all;
  all.handle(whoami, [](context& ctx) { return ctx.state<std::string>(); });
  rpc::serve(web, all, how);
  const served run(web);
  http::client asking;
  const std::string at = "http://127.0.0.1:" + std::to_string(run.port);
  EXPECT_EQ(run_on_loop(asking.get(at + "/health")).body, "ok");
  http::request_options call;
  call.body = "[]";
  call.content_type = "application/json";
  EXPECT_EQ(run_on_loop(asking.post(at + "/rpc/whoami", call)).body, "\"shared\"");
}

TEST(rpc_server_setup, refuses_what_makes_no_sense) {
  rpc::server none(handlers{}, any_port());
  EXPECT_EQ(error_of<usage_error>([&] { none.listen(); }), "a server of RPC needs at least one handler");
  handlers twice;
  twice.handle(nothing, [] {}).handle(nothing, [] {});
  rpc::server both(twice, any_port());
  EXPECT_EQ(error_of<usage_error>([&] { both.listen(); }), "task \"nothing\" has a handler already");
}

}  // namespace
}  // namespace quarq::test::rpc_server_tests
