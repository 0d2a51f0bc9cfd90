// What handlers get and what becomes of what they return.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>
#include <gtest/gtest.h>

#include <quarq/http/server.hpp>
#include <quarq/time.hpp>

#include "support/errors.hpp"
#include "support/on_loop.hpp"
#include "support/raw_connection.hpp"
#include "support/served.hpp"

namespace quarq::test::http_server_routes {
namespace {

using namespace std::chrono_literals;

enum class colour { red, green };
BOOST_DESCRIBE_ENUM(colour, red, green)

struct user {
  int id = 0;
  std::string name;
};
BOOST_DESCRIBE_STRUCT(user, (), (id, name))

struct page {
  int offset = 5;
  std::optional<int> limit;
  std::vector<std::string> tag;
};
BOOST_DESCRIBE_STRUCT(page, (), (offset, limit, tag))

http::server_options any_port() {
  http::server_options o;
  o.port = 0;
  return o;
}

awaitable<user> get_user(int id, http::request& r) {
  co_await sleep_for(0ms);
  user found;
  found.id = id;
  found.name = r.parameter("id");
  co_return found;
}

awaitable<user> create_user(user u) {
  co_await sleep_for(0ms);
  u.id = 8;
  co_return u;
}

std::string list(http::query<page> q) {
  std::string text = std::to_string(q->offset) + ' ' + (q->limit ? std::to_string(*q->limit) : "none");
  for (const auto& t : q->tag) text += ' ' + t;
  return text;
}

std::optional<user> maybe(bool there) {
  if (!there) return std::nullopt;
  return user{1, "a"};
}

void nothing() {}

class http_server_routes : public testing::Test {
 protected:
  http_server_routes() {
    server.get("/users/{id}", get_user);
    server.get("/users/me", [] { return "it is me"; });
    server.post("/users", create_user);
    server.get("/list", list);
    server.get("/maybe/{there}", maybe);
    server.remove("/users/{id}", [](int) {});
    server.get("/nothing", nothing);
    server.get("/paint/{with}/{times}/{name}", [](colour with, double times, std::string name) {
      return name + (with == colour::green ? " green " : " red ") + std::to_string(times);
    });
    server.get("/problem", []() -> std::string { throw http::problem(409, "not now", {{"X-Why", "b"}}); });
    server.get("/throws", []() -> awaitable<std::string> {
      co_await sleep_for(0ms);
      throw std::runtime_error("a secret");
    });
    server.get("/bad_header", [] {
      http::response r(200);
      r.reason = "a\r\nSet-Cookie: x";
      return r;
    });
    server.get("/counter", [](http::request& r) { return ++r.state<int>(); });
    server.emplace<int>(41);
    run.emplace(server);
  }

  raw_response ask(const std::string& line, const std::string& body = {}, const std::string& fields = {}) {
    raw_connection c(run->port);
    const auto length =
        body.empty() ? std::string() : "Content-Length: " + std::to_string(body.size()) + "\r\n";
    c.send(line + " HTTP/1.1\r\nHost: a\r\n" + length + fields + "\r\n" + body);
    return c.read(line.starts_with("HEAD")).value();
  }

  http::server server{any_port()};
  std::optional<served> run;
};

TEST_F(http_server_routes, parts_of_the_path_are_parameters) {
  const auto r = ask("GET /users/7");
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.body, R"({"id": 7, "name": "7"})");
  EXPECT_TRUE(r.has("Content-Type: application/json"));
  EXPECT_EQ(ask("GET /users/me").body, "it is me");
  EXPECT_EQ(ask("GET /users/x").status, 404);
  EXPECT_EQ(ask("GET /users/99999999999").status, 404);
  EXPECT_EQ(ask("GET /paint/green/1.5/a%2Fb%20c").body, "a/b c green 1.500000");
  EXPECT_EQ(ask("GET /paint/blue/1.5/a").status, 404);
  EXPECT_EQ(ask("GET http://a/users/7").status, 200);
}

TEST_F(http_server_routes, a_query_is_a_struct) {
  EXPECT_EQ(ask("GET /list").body, "5 none");
  EXPECT_EQ(ask("GET /list?offset=1&limit=2&tag=x&tag=y%20z&other=1").body, "1 2 x y z");
  const auto wrong = ask("GET /list?limit=two");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_NE(wrong.body.find("parameter limit"), std::string::npos);
  EXPECT_EQ(ask("GET /list?limit=%zz").status, 400);
}

TEST_F(http_server_routes, a_body_is_a_struct) {
  const auto made =
      ask("POST /users", R"({"name": "ann"})", "Content-Type: application/json; charset=utf-8\r\n");
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(made.body, R"({"id": 8, "name": "ann"})");
  const auto syntax = ask("POST /users", R"({"name": )");
  EXPECT_EQ(syntax.status, 400);
  EXPECT_TRUE(syntax.has("Content-Type: application/problem+json"));
  const auto value = ask("POST /users", R"({"name": 5})");
  EXPECT_EQ(value.status, 422);
  EXPECT_NE(value.body.find("body: field name: expected string, got integer"), std::string::npos)
      << value.body;
  EXPECT_EQ(ask("POST /users", "name=ann", "Content-Type: application/x-www-form-urlencoded\r\n").status,
            415);
}

TEST_F(http_server_routes, results) {
  EXPECT_EQ(ask("GET /maybe/true").status, 200);
  EXPECT_EQ(ask("GET /maybe/false").status, 404);
  const auto nothing = ask("GET /nothing");
  EXPECT_EQ(nothing.status, 204);
  EXPECT_EQ(nothing.header.find("Content-Length"), std::string::npos);
  EXPECT_EQ(ask("DELETE /users/7").status, 204);
  EXPECT_EQ(ask("GET /counter").body, "42");
}

TEST_F(http_server_routes, errors) {
  const auto problem = ask("GET /problem");
  EXPECT_EQ(problem.status, 409);
  EXPECT_EQ(problem.body, R"({"status": 409, "title": "Conflict", "detail": "not now"})");
  EXPECT_TRUE(problem.has("X-Why: b"));
  const auto thrown = ask("GET /throws");
  EXPECT_EQ(thrown.status, 500);
  EXPECT_EQ(thrown.body.find("secret"), std::string::npos);
  const auto split = ask("GET /bad_header");
  EXPECT_EQ(split.status, 500);
  EXPECT_EQ(split.header.find("Set-Cookie"), std::string::npos);
}

TEST_F(http_server_routes, methods) {
  const auto head = ask("HEAD /users/7");
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.has("Content-Length: 22"));
  EXPECT_EQ(ask("GET /absent").status, 404);
  const auto wrong = ask("PUT /users/7");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_TRUE(wrong.has("Allow: GET, HEAD, DELETE, OPTIONS"));
  const auto options = ask("OPTIONS /users");
  EXPECT_EQ(options.status, 204);
  EXPECT_TRUE(options.has("Allow: POST, OPTIONS"));
  EXPECT_EQ(ask("OPTIONS *").status, 204);
  EXPECT_EQ(ask("BREW /users").status, 501);
}

TEST_F(http_server_routes, paths_that_could_mean_another_path_are_refused) {
  for (const char* path : {"/users/%00", "/users/../x", "/users/%2e%2e/x", "/users/%c0%af", "/users/%zz",
                           "/a\\b", "/users/%0d%0a"}) {
    EXPECT_EQ(ask(std::string("GET ") + path).status, 400) << path;
  }
}

TEST(http_server_setup, mistakes_are_told_by_run) {
  http::server open({.address = "0.0.0.0", .port = 0});
  EXPECT_NE(error_of<usage_error>([&] { open.listen(); }).find("public_without_auth"), std::string::npos);
  http::server guarded({.address = "0.0.0.0", .port = 0});
  guarded.use(http::bearer_auth("t"));
  EXPECT_NE(guarded.listen(), 0);
  http::server twice(any_port());
  twice.get("/a/{b}", [](int) { return ""; }).get("/a/{c}", [](int) { return ""; });
  EXPECT_NE(error_of<usage_error>([&] { quarq::run(twice.run()); }).find("the same requests"),
            std::string::npos);
  http::server nowhere(any_port());
  nowhere.files("/x", "/no/such/folder");
  EXPECT_NE(error_of<usage_error>([&] { quarq::run(nowhere.run()); }).find("/no/such/folder"),
            std::string::npos);
}

}  // namespace
}  // namespace quarq::test::http_server_routes
