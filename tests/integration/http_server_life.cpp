// Connections and servers that end; bodies in parts; files; what runs around handlers.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <quarq/http/server.hpp>
#include <quarq/time.hpp>

#include "support/captured_log.hpp"
#include "support/how_many.hpp"
#include "support/raw_connection.hpp"
#include "support/served.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::http_server_life {
namespace {

using namespace std::chrono_literals;

http::server_options any_port() {
  http::server_options o;
  o.port = 0;
  return o;
}

std::string get(const std::string& path, const std::string& fields = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

template <class F>
void wait_until(F holds) {
  const auto end = std::chrono::steady_clock::now() + default_timeout;
  while (!holds()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "waited in vain";
    std::this_thread::sleep_for(1ms);
  }
}

// Handlers that wait until they may go on, and count how they end.
class waiting_handlers {
 public:
  std::atomic<int> started = 0;
  std::atomic<int> finished = 0;
  std::atomic<int> cancelled = 0;
  std::atomic<bool> go_on = false;

  awaitable<std::string> wait() {
    ++started;
    try {
      while (!go_on) co_await sleep_for(1ms);
    } catch (...) {
      ++cancelled;
      throw;
    }
    ++finished;
    co_return "done";
  }
};

TEST(http_server_life, the_log_names_the_url_also_of_ipv6) {
  const captured_log log;
  auto o = any_port();
  o.address = "::1";
  http::server server(o);
  try {
    const served run(server);
    wait_until([&] { return log.has("listening on http://[::1]:" + std::to_string(run.port)); });
  } catch (const boost::system::system_error& e) {
    GTEST_SKIP() << "this machine has no IPv6: " << e.what();
  }
}

TEST(http_server_life, a_client_that_goes_away_cancels_as_the_route_says) {
  waiting_handlers h;
  http::server server(any_port());
  const auto wait = [&] { return h.wait(); };
  http::route_options finish;
  finish.disconnect = http::on_disconnect::finish;
  http::route_options cancel;
  cancel.disconnect = http::on_disconnect::cancel;
  server.get("/a", wait).post("/a", wait).get("/finish", wait, finish).post("/cancel", wait, cancel);
  served run(server);
  const auto leave = [&](const std::string& line) {
    raw_connection c(run.port);
    const int before = h.started;
    c.send(line + " HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_until([&] { return h.started > before; });
  };
  leave("GET /a");
  wait_until([&] { return h.cancelled == 1; });
  leave("POST /cancel");
  wait_until([&] { return h.cancelled == 2; });
  leave("POST /a");
  leave("GET /finish");
  h.go_on = true;
  wait_until([&] { return h.finished == 2; });
  EXPECT_EQ(h.cancelled, 2);
}

TEST(http_server_life, stop_closes_idle_connections_and_lets_requests_end) {
  waiting_handlers h;
  http::server server(any_port());
  server.get("/a", [&] { return h.wait(); });
  server.get("/now", [] { return "now"; });
  served run(server);
  raw_connection idle(run.port);
  idle.send(get("/now"));
  EXPECT_EQ(idle.read()->status, 200);
  raw_connection fresh(run.port);
  raw_connection busy(run.port);
  busy.send(get("/a"));
  wait_until([&] { return h.started == 1; });
  server.stop();
  EXPECT_TRUE(idle.is_closed());
  EXPECT_TRUE(fresh.is_closed());
  EXPECT_THROW(
      {
        raw_connection late(run.port);
        late.send(get("/now"));
        if (late.is_closed()) throw std::runtime_error("closed");
      },
      std::exception);
  h.go_on = true;
  const auto answer = busy.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "done");
  EXPECT_TRUE(answer->has("Connection: close"));
  EXPECT_TRUE(busy.is_closed());
  run.wait();
}

TEST(http_server_life, handlers_that_take_too_long_are_cancelled) {
  waiting_handlers h;
  auto o = any_port();
  o.shutdown_timeout = 50ms;
  http::server server(o);
  server.post("/a", [&] { return h.wait(); });
  served run(server);
  raw_connection busy(run.port);
  busy.send("POST /a HTTP/1.1\r\nHost: a\r\n\r\n");
  wait_until([&] { return h.started == 1; });
  server.stop();
  run.wait();
  EXPECT_EQ(h.cancelled, 1);
  EXPECT_TRUE(busy.is_closed());
}

// Clients that send one request after another: each that reached a handler is answered. QUARQ_TEST_HTTP_STOPS=100 is
// the whole of it.
TEST(http_server_life, stops_under_load_lose_no_request) {
  const int stops = test::how_many("QUARQ_TEST_HTTP_STOPS", 10);
  constexpr int clients = 4;
  for (int i = 0; i < stops; ++i) {
    std::atomic<int> handled = 0;
    std::atomic<int> answered = 0;
    http::server server(any_port());
    server.get("/", [&]() -> awaitable<std::string> {
      ++handled;
      co_await sleep_for(1ms);
      co_return "ok";
    });
    served run(server);
    std::vector<std::jthread> threads;
    for (int c = 0; c < clients; ++c) {
      threads.emplace_back([&] {
        try {
          while (true) {
            raw_connection connection(run.port);
            while (connection.try_send(get("/"))) {
              const auto answer = connection.read();
              if (!answer) break;
              EXPECT_EQ(answer->body, "ok");
              ++answered;
            }
          }
        } catch (const std::system_error&) {  // nobody listens any more
        }
      });
    }
    wait_until([&] { return answered >= 20; });
    server.stop();
    run.wait();
    threads.clear();
    EXPECT_EQ(answered, handled);
  }
}

TEST(http_server_life, cancelling_run_ends_everything_at_once) {
  waiting_handlers h;
  http::server server(any_port());
  server.post("/a", [&] { return h.wait(); });
  const auto port = server.listen();
  std::jthread client([&] {
    raw_connection c(port);
    c.send("POST /a HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(c.is_closed());
  });
  const auto limited = [&]() -> awaitable<void> { co_await with_timeout(server.run(), 200ms); };
  EXPECT_THROW(quarq::run(limited()), timed_out);
  EXPECT_EQ(h.cancelled, h.started);
}

awaitable<void> count_to(http::body_writer& out, int n) {
  for (int i = 1; i <= n; ++i) {
    const auto line = std::to_string(i) + "\n";
    co_await out.write(line);
  }
  if (n == 3) throw std::runtime_error("three is too much");
}

TEST(http_server_life, bodies_are_written_in_parts) {
  http::server server(any_port());
  server.get("/count/{n}", [](int n) {
    return http::streamed("text/plain", [n](http::body_writer& out) { return count_to(out, n); });
  });
  server.get("/short", [] {
    auto r = http::streamed("text/plain", [](http::body_writer& out) { return count_to(out, 2); });
    r.headers.set("Content-Length", "10");
    return r;
  });
  served run(server);
  raw_connection c(run.port);
  c.send(get("/count/2"));
  EXPECT_EQ(c.read()->body, "1\n2\n");
  c.send("HEAD /count/2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(c.read(true)->has("Transfer-Encoding: chunked"));
  c.send(get("/count/3"));
  const auto cut = c.read_to_end();
  EXPECT_NE(cut.find("3\n"), std::string::npos);
  EXPECT_EQ(cut.find("0\r\n\r\n"), std::string::npos) << "the end of a body that is not whole";
  raw_connection broken(run.port);
  broken.send(get("/short"));
  EXPECT_TRUE(broken.read_to_end().ends_with("1\n2\n"));
}

TEST(http_server_life, a_large_body_goes_both_ways) {
  auto o = any_port();
  o.max_body = 20'000'000;
  http::server server(o);
  server.post("/echo", [](http::request& r) -> awaitable<std::string> {
    std::string all;
    while (true) {
      const auto part = co_await r.read_body_some();
      if (part.empty()) break;
      all += part;
    }
    co_return all;
  });
  served run(server);
  std::string body(10'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
  raw_connection c(run.port);
  c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  c.send(body);
  EXPECT_TRUE(c.read()->body == body);
}

TEST(http_server_life, files) {
  const temp_dir dir;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(dir / name) << text;
  };
  std::filesystem::create_directories(dir / "public/sub");
  write("secret", "secret");
  write("public/a.txt", "0123456789");
  write("public/sub/index.html", "<p>");
  write("public/.hidden", "hidden");
  std::filesystem::create_symlink(dir / "secret", dir / "public/out");
  std::filesystem::create_symlink("../../secret", dir / "public/sub/up");
  http::server server(any_port());
  server.files("/static", dir / "public");
  served run(server);
  const auto ask = [&](const std::string& path, const std::string& fields = {}) {
    raw_connection c(run.port);
    c.send(get(path, fields));
    return c.read().value();
  };
  const auto whole = ask("/static/a.txt");
  EXPECT_EQ(whole.body, "0123456789");
  EXPECT_TRUE(whole.has("Content-Type: text/plain; charset=utf-8"));
  const auto begin = whole.header.find("ETag: ") + 6;
  const auto etag = whole.header.substr(begin, whole.header.find('\r', begin) - begin);
  EXPECT_EQ(ask("/static/a.txt", "If-None-Match: " + etag + "\r\n").status, 304);
  const auto part = ask("/static/a.txt", "Range: bytes=2-4\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_TRUE(part.has("Content-Range: bytes 2-4/10"));
  EXPECT_EQ(ask("/static/a.txt", "Range: bytes=0-,0-,0-\r\n").status, 416);
  EXPECT_EQ(ask("/static/sub/").body, "<p>");
  for (const char* refused :
       {"/static/out", "/static/sub/up", "/static/.hidden", "/static/absent", "/static/sub", "/static/",
        "/static/%2e%2e/secret", "/static/..%2fsecret", "/static//etc/passwd", "/static/a.txt/"}) {
    const auto r = ask(refused);
    EXPECT_TRUE(r.status == 404 || r.status == 400) << refused << r.header;
    EXPECT_EQ(r.body.find("secret"), std::string::npos);
  }
}

TEST(http_server_life, middlewares_run_around_handlers) {
  http::server server(any_port());
  http::cors_options cors;
  cors.origins = {"https://app.example"};
  server.use(http::access_log())
      .use(http::cors(cors))
      .use(http::bearer_auth("right"))
      .use(http::compression());
  server.use([](http::request& r, http::next go_on) -> awaitable<http::response> {
    auto answer = co_await go_on(r);
    answer.headers.set("X-User", r.user());
    co_return answer;
  });
  server.get("/long", [] { return std::string(5000, 'x'); });
  served run(server);
  const auto ask = [&](const std::string& line, const std::string& fields = {}) {
    raw_connection c(run.port);
    c.send(line + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
    return c.read().value();
  };
  const std::string right = "Authorization: Bearer right\r\n";
  const auto refused = ask("GET /long", "Origin: https://app.example\r\n");
  EXPECT_EQ(refused.status, 401);
  EXPECT_TRUE(refused.has("WWW-Authenticate: Bearer"));
  EXPECT_TRUE(refused.has("Access-Control-Allow-Origin: https://app.example"));
  for (const char* wrong : {"Bearer wrong", "Bearer", "Basic right", "Bearer rightx", "right"}) {
    EXPECT_EQ(ask("GET /long", std::string("Authorization: ") + wrong + "\r\n").status, 401) << wrong;
  }
  const auto plain = ask("GET /long", right);
  EXPECT_EQ(plain.body.size(), 5000u);
  EXPECT_TRUE(plain.has("X-User: bearer"));
  EXPECT_TRUE(plain.has("Vary: Accept-Encoding"));
  const auto small = ask("GET /long", right + "Accept-Encoding: gzip\r\n");
  EXPECT_TRUE(small.has("Content-Encoding: gzip"));
  EXPECT_LT(small.body.size(), 200u);
  EXPECT_EQ(ask("GET /absent", right).status, 404);
  const auto preflight =
      ask("OPTIONS /long", "Origin: https://app.example\r\nAccess-Control-Request-Method: GET\r\n");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_TRUE(preflight.has("Access-Control-Max-Age: 600"));
  const auto foreign =
      ask("OPTIONS /long", "Origin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n");
  EXPECT_EQ(foreign.header.find("Access-Control"), std::string::npos);
}

}  // namespace
}  // namespace quarq::test::http_server_life
