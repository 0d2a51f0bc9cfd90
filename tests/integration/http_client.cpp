#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <gtest/gtest.h>

#include <quarq/gather.hpp>
#include <quarq/http/client.hpp>
#include <quarq/time.hpp>

#include "http/coding/content_encoder.hpp"
#include "support/http_peer.hpp"
#include "support/on_loop.hpp"

namespace quarq::http::client_tests {
namespace {

using namespace std::chrono_literals;
using test::always;
using test::http_answer;
using test::http_peer;
using test::read_request;

struct user {
  std::string name;
  int age = 0;
  friend bool operator==(const user&, const user&) = default;
};
BOOST_DESCRIBE_STRUCT(user, (), (name, age))

response get_page(client& web, std::string url, std::chrono::milliseconds timeout = 30s) {
  return test::run_on_loop([&]() -> awaitable<response> {
    auto answer = co_await web.get(url, {.timeout = timeout});
    co_return answer;
  });
}

// What the client said, in all connections.
class recorded {
 public:
  http_peer::conversation answering(std::string answer) {
    return [this, answer](stream& io, int) { return talk(io, answer); };
  }
  void add(std::string request) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(request));
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  std::string last() const { return all().back(); }

 private:
  awaitable<void> talk(stream& io, std::string answer) {
    while (true) {
      const auto request = co_await read_request(io);
      if (request.empty()) co_return;
      add(request);
      co_await io.write(answer);
    }
  }

  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

TEST(http_client, gets_a_page) {
  recorded requests;
  http_peer peer(requests.answering(http_answer("hello", "X-Test: yes\r\n")));
  client web;
  const auto page = get_page(web, peer.url("/a b?c=d#e"));
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "hello");
  EXPECT_EQ(page.headers["x-test"], "yes");
  const auto request = requests.last();
  EXPECT_TRUE(request.starts_with(
      "GET /a%20b?c=d HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(peer.port()) + "\r\n"))
      << request;
  EXPECT_TRUE(contains(request, "\r\nAccept-Encoding: gzip, deflate, br\r\n"));
  EXPECT_TRUE(contains(request, "\r\nUser-Agent: quarq\r\n"));
  EXPECT_FALSE(contains(request, "Content-Length"));
}

TEST(http_client, sends_and_reads_described_structs) {
  recorded requests;
  http_peer peer(requests.answering(http_answer("{\"name\": \"Eve\", \"age\": 37}", "", "201 Created")));
  client web;
  const user sent{"Adam", 36};
  const auto made = test::run_on_loop([&]() -> awaitable<user> {
    auto answer = co_await web.post<user>(peer.url("/users"), {.json = sent});
    co_return answer;
  });
  EXPECT_EQ(made, (user{"Eve", 37}));
  EXPECT_TRUE(contains(requests.last(), "\r\nContent-Type: application/json\r\n"));
  EXPECT_TRUE(requests.last().ends_with("\r\n\r\n{\"name\": \"Adam\", \"age\": 36}")) << requests.last();
}

TEST(http_client, a_value_needs_a_good_answer) {
  http_peer refusing(always(http_answer("no such user", "", "404 Not Found")));
  client web;
  const auto get_user = [&](std::string url) -> awaitable<user> {
    auto answer = co_await web.get<user>(url);
    co_return answer;
  };
  try {
    test::run_on_loop(get_user("http://me:hunter2@127.0.0.1:" + std::to_string(refusing.port()) + "/u"));
    FAIL();
  } catch (const status_error& e) {
    EXPECT_EQ(e.status(), 404);
    EXPECT_EQ(std::string(e.what()), "GET " + refusing.url("/u") + ": status 404: no such user");
  }
  http_peer odd(always(http_answer("{\"name\": 5}")));
  try {
    test::run_on_loop(get_user(odd.url()));
    FAIL();
  } catch (const decode_error& e) {
    EXPECT_EQ(std::string(e.what()), "body of the response: field name: expected string, got integer");
  }
}

TEST(http_client, one_connection_serves_many_requests) {
  http_peer peer(always(http_answer("x")));
  client web;
  test::run_on_loop([&]() -> awaitable<void> {
    for (int i = 0; i < 20; ++i) {
      const auto page = co_await web.get(peer.url());
      EXPECT_EQ(page.body, "x");
    }
    EXPECT_EQ(web.connections().idle, 1u);
    EXPECT_EQ(web.connections().in_use, 0u);
    co_await web.close_idle();
    EXPECT_EQ(web.connections().idle, 0u);
  });
  EXPECT_EQ(peer.accepted(), 1);
}

TEST(http_client, each_loop_has_connections_of_its_own) {
  http_peer peer(always(http_answer("x")));
  client web;
  for (int i = 0; i < 3; ++i) get_page(web, peer.url());
  EXPECT_EQ(peer.accepted(), 3);
  EXPECT_EQ(web.connections().idle, 0u);
}

TEST(http_client, a_body_comes_in_every_framing_and_coding) {
  std::string zipped;
  content_encoder encoder(coding::gzip);
  encoder.write("hello, hello, hello", zipped);
  encoder.finish(zipped);
  const std::vector<std::pair<std::string, std::string>> rows{
      {http_answer("hello"), "hello"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello"},
      {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", "hello"},
      {"HTTP/1.0 200 OK\r\n\r\nhello", "hello"},
      {http_answer(zipped, "Content-Encoding: gzip\r\n"), "hello, hello, hello"},
      {http_answer("hello", "Content-Encoding: zstd\r\n"), "hello"},
      {"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + http_answer("hello"),
       "hello"},
      {"HTTP/1.1 204 No Content\r\n\r\n", ""},
  };
  for (const auto& [answer, body] : rows) {
    http_peer peer(test::once(answer));
    client web;
    EXPECT_EQ(get_page(web, peer.url()).body, body) << answer;
  }
}

std::string failure_of(client& web, const std::string& url, std::chrono::milliseconds timeout = 30s) {
  try {
    get_page(web, url, timeout);
  } catch (const request_error& e) {
    return e.what();
  }
  return "no error";
}

TEST(http_client, an_answer_that_is_cut_off_is_an_error) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", "the server closed the connection without an answer"},
      {"HTTP/1.1 200 O", "the connection ended in the header of the answer"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "the connection ended before the answer did"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
       "the connection ended before the answer did"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP"},
      {http_answer("not gzip", "Content-Encoding: gzip\r\n"), "gzip: incorrect header check"},
  };
  for (const auto& [bytes, why] : rows) {
    http_peer peer(test::once(bytes));
    client web;
    EXPECT_TRUE(contains(failure_of(web, peer.url()), why)) << failure_of(web, peer.url());
    EXPECT_EQ(web.connections().in_use, 0u);
  }
}

TEST(http_client, bytes_behind_an_answer_reach_no_other_request) {
  http_peer peer(always(http_answer("good") + http_answer("evil")));
  client web;
  test::run_on_loop([&]() -> awaitable<void> {
    for (int i = 0; i < 10; ++i) {
      const auto page = co_await web.get(peer.url());
      EXPECT_EQ(page.body, "good");
    }
  });
  EXPECT_EQ(peer.accepted(), 10);
}

// Serves one request on each connection; the first connection closes only when it gets another one.
http_peer::conversation closing_at_reuse(std::atomic<int>& served) {
  return [&served](stream& io, int number) -> awaitable<void> {
    co_await read_request(io);
    ++served;
    co_await io.write(http_answer("x"));
    const auto next = co_await read_request(io);
    if (number > 1 && !next.empty()) {
      ++served;
      co_await io.write(http_answer("y"));
    }
  };
}

TEST(http_client, a_get_over_a_dead_connection_goes_to_another) {
  std::atomic<int> served{0};
  http_peer peer(closing_at_reuse(served));
  client web;
  test::run_on_loop([&]() -> awaitable<void> {
    co_await web.get(peer.url());
    const auto page = co_await web.get(peer.url());
    EXPECT_EQ(page.body, "x");
  });
  EXPECT_EQ(served, 2);
  EXPECT_EQ(peer.accepted(), 2);
}

TEST(http_client, a_post_that_may_have_arrived_is_not_sent_again) {
  std::atomic<int> served{0};
  http_peer peer(closing_at_reuse(served));
  client web;
  test::run_on_loop([&]() -> awaitable<void> {
    co_await web.get(peer.url());
    std::string failure;
    try {
      co_await web.post(peer.url(), {.body = "order"});
    } catch (const request_error& e) {
      failure = e.what();
      EXPECT_TRUE(e.reused());
      EXPECT_TRUE(e.may_have_arrived());
      EXPECT_EQ(e.step(), request_step::first_byte);
    }
    EXPECT_TRUE(contains(failure, "without an answer (reused connection)")) << failure;
  });
  EXPECT_EQ(served, 1);
}

TEST(http_client, a_post_with_an_idempotency_key_is_sent_again) {
  std::atomic<int> served{0};
  http_peer peer(closing_at_reuse(served));
  client web;
  const fields headers{{"Idempotency-Key", "1"}};
  test::run_on_loop([&]() -> awaitable<void> {
    co_await web.get(peer.url());
    const auto answer = co_await web.post(peer.url(), {.body = "order", .headers = headers});
    EXPECT_EQ(answer.body, "x");
  });
  EXPECT_EQ(served, 2);
}

TEST(http_client, a_post_never_uses_a_connection_that_was_closed) {
  const auto one_each = [](stream& io, int) -> awaitable<void> {
    co_await read_request(io);
    co_await io.write(http_answer("x"));
  };
  http_peer peer(one_each);
  client web;
  test::run_on_loop([&]() -> awaitable<void> {
    for (int i = 1; i <= 20; ++i) {
      const auto answer = co_await web.post(peer.url(), {.body = "order"});
      EXPECT_EQ(answer.body, "x");
      const auto has_closed = [&] { return peer.closed() == i; };
      co_await test::until(has_closed);
    }
  });
  EXPECT_EQ(peer.accepted(), 20);
}

TEST(http_client, redirects_are_followed) {
  const auto hop = [](stream& io, int) -> awaitable<void> {
    while (true) {
      const auto request = co_await read_request(io);
      if (request.empty()) co_return;
      const bool is_last = request.starts_with("GET /3");
      const auto number = std::to_string(request[5] - '0' + 1);
      const auto answer =
          is_last ? http_answer("there") : http_answer("moved", "Location: /" + number + "\r\n", "302 Found");
      co_await io.write(answer);
    }
  };
  http_peer peer(hop);
  client web;
  EXPECT_EQ(get_page(web, peer.url("/0")).body, "there");
  EXPECT_EQ(peer.accepted(), 1);
  test::run_on_loop([&]() -> awaitable<void> {
    const auto first = co_await web.get(peer.url("/0"), {.max_redirects = 0});
    EXPECT_EQ(first.status, 302);
    std::string failure;
    try {
      co_await web.get(peer.url("/0"), {.max_redirects = 2});
    } catch (const request_error& e) {
      failure = e.what();
    }
    EXPECT_TRUE(contains(failure, "there are more than 2 redirects")) << failure;
  });
}

TEST(http_client, credentials_do_not_follow_a_redirect_to_another_port) {
  recorded there;
  http_peer other(there.answering(http_answer("x")));
  recorded here;
  http_peer peer(
      here.answering(http_answer("", "Location: " + other.url("/y") + "\r\n", "307 Temporary Redirect")));
  client web;
  const fields headers{{"Cookie", "session=hunter2"}, {"X-Own", "kept"}};
  test::run_on_loop([&]() -> awaitable<void> {
    const auto url = "http://user:pass@127.0.0.1:" + std::to_string(peer.port()) + "/x";
    const auto answer = co_await web.post(url, {.body = "data", .headers = headers});
    EXPECT_EQ(answer.status, 200);
  });
  EXPECT_TRUE(contains(here.last(), "\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"));
  EXPECT_TRUE(contains(here.last(), "\r\nCookie: session=hunter2\r\n"));
  EXPECT_FALSE(contains(there.last(), "Authorization")) << there.last();
  EXPECT_FALSE(contains(there.last(), "Cookie")) << there.last();
  EXPECT_TRUE(contains(there.last(), "\r\nX-Own: kept\r\n"));
  EXPECT_TRUE(there.last().starts_with("POST /y ")) << there.last();
  EXPECT_TRUE(there.last().ends_with("\r\n\r\ndata"));
}

TEST(http_client, a_body_that_is_too_large_is_not_read) {
  std::string bomb;
  content_encoder encoder(coding::gzip);
  for (int i = 0; i < 64; ++i) encoder.write(std::string(std::size_t{1} << 20, '\0'), bomb);
  encoder.finish(bomb);
  http_peer peer(always(http_answer(bomb, "Content-Encoding: gzip\r\n")));
  client_options options;
  options.max_body = 1'000'000;
  client web(options);
  EXPECT_TRUE(contains(failure_of(web, peer.url()), "the body is larger than 1000000 bytes"));
}

TEST(http_client, an_answer_is_read_in_pieces) {
  http_peer peer(always(http_answer(std::string(1'000'000, 'x'))));
  client web;
  test::run_on_loop([&]() -> awaitable<void> {
    auto page = co_await web.open("GET", peer.url());
    EXPECT_EQ(page.status(), 200);
    EXPECT_EQ(page.headers()["Content-Length"], "1000000");
    std::size_t size = 0;
    while (true) {
      const auto piece = co_await page.read();
      if (piece.empty()) break;
      size += piece.size();
    }
    EXPECT_EQ(size, 1'000'000u);
    EXPECT_EQ(web.connections().idle, 1u);
    {
      auto left = co_await web.open("GET", peer.url());
      EXPECT_EQ(web.connections().in_use, 1u);
    }
    EXPECT_EQ(web.connections().in_use, 0u);
    EXPECT_EQ(web.connections().idle, 0u);
  });
}

TEST(http_client, a_body_is_sent_as_it_is_made) {
  recorded requests;
  const auto until_last_chunk = [&](stream& io, int) -> awaitable<void> {
    std::string text;
    std::array<char, 100> space;
    while (!text.ends_with("0\r\n\r\n")) {
      const auto size = co_await io.read_some(space);
      text.append(space.data(), size);
    }
    requests.add(text);
    co_await io.write(http_answer("x"));
  };
  http_peer peer(until_last_chunk);
  client web;
  int made = 0;
  body_stream body;
  body.next = [&]() -> awaitable<std::string> {
    ++made;
    co_return made <= 3 ? "part " + std::to_string(made) : std::string();
  };
  test::run_on_loop([&]() -> awaitable<void> {
    const auto answer = co_await web.post(peer.url(), {.stream = body});
    EXPECT_EQ(answer.body, "x");
  });
  EXPECT_TRUE(contains(requests.last(), "\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_TRUE(requests.last().ends_with("\r\n\r\n6\r\npart 1\r\n6\r\npart 2\r\n6\r\npart 3\r\n0\r\n\r\n"))
      << requests.last();
}

TEST(http_client, what_a_body_stream_throws_is_the_callers) {
  http_peer peer(always(http_answer("x")));
  client web;
  body_stream body;
  body.next = []() -> awaitable<std::string> {
    throw std::out_of_range("no more");
    co_return "";
  };
  const auto send = [&]() -> awaitable<void> { co_await web.post(peer.url(), {.stream = body}); };
  EXPECT_THROW(test::run_on_loop(send()), std::out_of_range);
  body.next = []() -> awaitable<std::string> { co_return ""; };
  body.size = 5;
  EXPECT_THROW(test::run_on_loop(send()), usage_error);
  EXPECT_EQ(web.connections().in_use, 0u);
}

TEST(http_client, an_early_answer_to_a_large_body_is_heard) {
  const auto refuse = [](stream& io, int) -> awaitable<void> {
    std::array<char, 1000> space;
    co_await io.read_some(space);
    co_await io.write(http_answer("too large", "Connection: close\r\n", "413 Content Too Large"));
    co_await io.finish(5s);
  };
  http_peer peer(refuse);
  client web;
  const std::string large(20'000'000, 'x');
  test::run_on_loop([&]() -> awaitable<void> {
    const auto answer = co_await web.post(peer.url(), {.body = large});
    EXPECT_EQ(answer.status, 413);
  });
}

TEST(http_client, failures_are_retried_if_the_policy_says_so) {
  std::atomic<int> count{0};
  const auto third_time = [&](stream& io, int) -> awaitable<void> {
    while (true) {
      const auto request = co_await read_request(io);
      if (request.empty()) co_return;
      const auto answer = ++count < 3 ? http_answer("", "", "503 Service Unavailable") : http_answer("x");
      co_await io.write(answer);
    }
  };
  http_peer peer(third_time);
  client_options options;
  options.retries.max_attempts = 3;
  options.retries.first_pause = 1ms;
  client web(options);
  EXPECT_EQ(get_page(web, peer.url()).body, "x");
  EXPECT_EQ(count, 3);
  count = 0;
  test::run_on_loop([&]() -> awaitable<void> {
    const auto answer = co_await web.post(peer.url(), {.body = "once"});
    EXPECT_EQ(answer.status, 503);
  });
  EXPECT_EQ(count, 1);
}

TEST(http_client, cookies_come_back_if_they_are_kept) {
  for (const bool keeps : {false, true}) {
    recorded requests;
    http_peer peer(requests.answering(
        http_answer("x", "Set-Cookie: id=1; Max-Age=60\r\nSet-Cookie: no=1; Domain=com\r\n")));
    client_options options;
    options.cookies = keeps;
    client web(options);
    get_page(web, peer.url());
    get_page(web, peer.url());
    EXPECT_EQ(contains(requests.last(), "\r\nCookie: id=1\r\n"), keeps) << requests.last();
    EXPECT_EQ(contains(requests.last(), "Cookie"), keeps);
    EXPECT_FALSE(contains(requests.all().front(), "Cookie"));
  }
}

TEST(http_client, what_cannot_be_a_request_is_refused_at_the_call) {
  client web;
  const fields framing{{"content-length", "5"}};
  const std::string text = "x";
  EXPECT_THROW((void)web.get("example.org"), usage_error);
  EXPECT_THROW((void)web.get("http://h/\r\nX: y"), usage_error);
  EXPECT_THROW((void)web.request("GET /x HTTP/1.1\r\nX:", "http://h/"), usage_error);
  EXPECT_THROW((void)web.request("CONNECT", "http://h/"), usage_error);
  EXPECT_THROW((void)web.get("http://h/", {.headers = framing}), usage_error);
  EXPECT_THROW((void)web.post("http://h/", {.json = text, .body = "y"}), usage_error);
  EXPECT_THROW((void)web.post("http://h/", {.body = "y", .content_type = "a\r\nb: c"}), usage_error);
  EXPECT_THROW((void)web.post("http://h/", {.bearer = "a\nb"}), usage_error);
  EXPECT_THROW((void)web.get("http://u\r\n:p@h/"), usage_error);
}

}  // namespace
}  // namespace quarq::http::client_tests
