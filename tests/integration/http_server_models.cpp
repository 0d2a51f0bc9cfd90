// Bodies and queries with a model: what is wrong is answered, all of it.
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>
#include <gtest/gtest.h>

#include <quarq/http/server.hpp>
#include <quarq/model.hpp>

#include "support/raw_connection.hpp"
#include "support/served.hpp"

namespace quarq::test::http_server_models {
namespace {

struct page {
  int offset = 0;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(page, (), (offset, tags))
QUARQ_MODEL(page, all_defaulted, extra::forbid, field(&page::offset).at_least(0),
            field(&page::tags).length(0, 2))

struct account {
  std::string name;
  int age = 0;
};
BOOST_DESCRIBE_STRUCT(account, (), (name, age))
QUARQ_MODEL(account, field(&account::name).length(1, 8), field(&account::age).range(0, 150))

http::server_options any_port() {
  http::server_options o;
  o.port = 0;
  return o;
}

std::string join(http::query<page> q) {
  std::string text = std::to_string(q->offset);
  for (const auto& tag : q->tags) text += ' ' + tag;
  return text;
}

std::string greet(account a) {
  return a.name + ' ' + std::to_string(a.age);
}

class http_server_models : public testing::Test {
 protected:
  http_server_models() {
    server.get("/join", join);
    server.post("/greet", greet);
    run.emplace(server);
  }

  raw_response ask(const std::string& line, const std::string& body = {}) {
    raw_connection c(run->port);
    const auto length =
        body.empty() ? std::string() : "Content-Length: " + std::to_string(body.size()) + "\r\n";
    c.send(line + " HTTP/1.1\r\nHost: a\r\n" + length + "\r\n" + body);
    return c.read().value();
  }

  http::server server{any_port()};
  std::optional<served> run;
};

TEST_F(http_server_models, what_is_right_comes_to_the_handler) {
  EXPECT_EQ(ask("POST /greet", R"({"name": "ann", "age": 7})").body, "ann 7");
  EXPECT_EQ(ask("GET /join?offset=3&tags=a&tags=b%20c").body, "3 a b c");
}

TEST_F(http_server_models, all_that_is_wrong_with_a_body_is_answered) {
  const auto answer = ask("POST /greet", R"({"name": "", "age": 200})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(
      answer.body,
      R"({"status": 422, "title": "Unprocessable Content", "detail": "the body is not as it should be", )"
      R"("errors": [{"kind": "string_too_short", "path": ["name"], )"
      R"("message": "String should have at least 1 character"}, )"
      R"({"kind": "less_than_equal", "path": ["age"], )"
      R"("message": "Input should be less than or equal to 150"}]})");
  EXPECT_EQ(ask("POST /greet", R"({"name": )").status, 400);
}

TEST_F(http_server_models, all_that_is_wrong_with_a_query_is_answered) {
  const auto answer = ask("GET /join?offset=x&tags=1&tags=2&tags=3&more=1");
  EXPECT_EQ(answer.status, 422);
  for (const char* kind : {"int_parsing", "too_long", "extra_forbidden"})
    EXPECT_NE(answer.body.find(kind), std::string::npos) << answer.body;
  EXPECT_EQ(ask("GET /join?offset=%zz").status, 400);
}

}  // namespace
}  // namespace quarq::test::http_server_models
