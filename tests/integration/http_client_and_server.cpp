// The client and the server, which have no code in common but messages and streams.
#include <string>
#include <vector>

#include <boost/describe.hpp>
#include <gtest/gtest.h>

#include <quarq/gather.hpp>
#include <quarq/http/client.hpp>
#include <quarq/http/event_writer.hpp>
#include <quarq/http/events.hpp>
#include <quarq/http/middleware.hpp>
#include <quarq/http/server.hpp>

#include "support/on_loop.hpp"
#include "support/served.hpp"

namespace quarq::http::client_and_server_tests {
namespace {

struct point {
  int x = 0;
  int y = 0;
  friend bool operator==(const point&, const point&) = default;
};
BOOST_DESCRIBE_STRUCT(point, (), (x, y))

server_options any_port() {
  server_options options;
  options.port = 0;
  return options;
}

std::string url_of(const test::served& of, const std::string& path) {
  return "http://127.0.0.1:" + std::to_string(of.port) + path;
}

TEST(http_client_and_server, exchange_values_as_json) {
  server web(any_port());
  web.post("/mirror", [](point p) { return point{p.y, p.x}; });
  const test::served run(web);
  client asking;
  const point sent{1, 2};
  test::run_on_loop([&]() -> awaitable<void> {
    for (int i = 0; i < 5; ++i) {
      const auto got = co_await asking.post<point>(url_of(run, "/mirror"), {.json = sent});
      EXPECT_EQ(got, (point{2, 1}));
    }
    int status = 0;
    std::string said;
    try {
      co_await asking.post<point>(url_of(run, "/mirror"),
                                  {.body = "{\"x\": \"one\"}", .content_type = "application/json"});
    } catch (const status_error& e) {
      status = e.status();
      said = e.answer().body;
    }
    EXPECT_EQ(status, 422);
    EXPECT_NE(said.find("x"), std::string::npos);
  });
}

TEST(http_client_and_server, compress_large_answers) {
  const std::string text(100'000, 'x');
  server web(any_port());
  web.use(compression());
  web.get("/text", [&] { return text; });
  const test::served run(web);
  for (const bool decompresses : {true, false}) {
    client_options options;
    options.decompress = decompresses;
    client asking(options);
    const auto page = test::run_on_loop(asking.get(url_of(run, "/text")));
    EXPECT_EQ(page.status, 200);
    EXPECT_TRUE(page.body == text) << page.body.size();
  }
}

TEST(http_client_and_server, send_large_bodies_in_chunks) {
  server web(any_port());
  web.post("/size", [](request& from) -> awaitable<std::string> {
    const auto body = co_await from.body();
    co_return std::to_string(body.size());
  });
  const test::served run(web);
  client asking;
  int left = 50;
  body_stream body;
  body.next = [&]() -> awaitable<std::string> {
    co_return left-- > 0 ? std::string(10'000, 'x') : std::string();
  };
  test::run_on_loop([&]() -> awaitable<void> {
    const auto answer = co_await asking.post(url_of(run, "/size"), {.stream = body});
    EXPECT_EQ(answer.body, "500000");
  });
}

TEST(http_client_and_server, pass_events_on) {
  server web(any_port());
  web.get("/ticks", [](request& from) -> response {
    const bool is_first = from.headers()["Last-Event-ID"].empty();
    if (!is_first) return response(204);
    const auto write = [](event_writer& out) -> awaitable<void> {
      for (int i = 1; i <= 3; ++i) {
        const auto text = std::to_string(i);
        co_await out.send("line one\nline " + text, "tick", text);
      }
    };
    return events(write);
  });
  const test::served run(web);
  client asking;
  events_options options;
  options.retry = std::chrono::milliseconds(1);
  test::run_on_loop([&]() -> awaitable<void> {
    event_stream ticks(asking, url_of(run, "/ticks"), options);
    for (int i = 1; i <= 3; ++i) {
      const auto event = co_await ticks.next();
      EXPECT_EQ(event.value_or(server_event()).data, "line one\nline " + std::to_string(i));
      EXPECT_EQ(event.value_or(server_event()).type, "tick");
    }
    const auto end = co_await ticks.next();
    EXPECT_FALSE(end);
  });
}

}  // namespace
}  // namespace quarq::http::client_and_server_tests
