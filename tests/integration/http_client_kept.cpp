// Requests over a connection that an earlier one has left, which take a shorter way: all that is promised holds there, too.
#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/http/client.hpp>
#include <quarq/time.hpp>

#include "http/coding/content_encoder.hpp"
#include "support/http_peer.hpp"
#include "support/on_loop.hpp"

namespace quarq::http::client_kept_tests {
namespace {

using namespace std::chrono_literals;
using test::http_answer;
using test::http_peer;
using test::read_request;

const std::string close_now = "close";  // in place of an answer
const std::string hang_now = "hang";

awaitable<void> follow_script(stream& io, std::vector<std::string> answers, std::atomic<int>& requests) {
  for (const auto& answer : answers) {
    const auto request = co_await read_request(io);
    if (request.empty() || answer == close_now) co_return;
    ++requests;
    if (answer == hang_now) {
      std::array<char, 1> space;
      co_await io.read_some(space);
      co_return;
    }
    co_await io.write(answer);
  }
  co_await read_request(io);
}

// The first connection gets these answers; the others get "fresh" for each request.
class http_client_kept : public testing::Test {
 protected:
  void answer_with(std::vector<std::string> all) { answers = std::move(all); }
  awaitable<std::string> get(std::string path = "/", std::chrono::milliseconds timeout = 30s) {
    const auto page = co_await web.get(peer.url(path), {.timeout = timeout});
    co_return page.body;
  }
  awaitable<request_error::position> failure_of(std::chrono::milliseconds timeout) {
    request_error::position where;
    try {
      co_await web.get(peer.url(), {.timeout = timeout});
      ADD_FAILURE() << "an answer";
    } catch (const request_error& e) {
      where = e.where();
    }
    EXPECT_EQ(web.connections().in_use, 0u);
    EXPECT_EQ(web.connections().idle, 0u);
    co_return where;
  }

  std::vector<std::string> answers;
  std::atomic<int> requests{0};
  http_peer peer{[this](stream& io, int number) {
    const std::vector<std::string> fresh(100, http_answer("fresh"));
    return follow_script(io, number == 1 ? answers : fresh, requests);
  }};
  client web;
};

TEST_F(http_client_kept, bodies_of_all_kinds_are_read) {
  const std::string large(300'000, 'x');
  content_encoder zip(coding::gzip);
  std::string zipped;
  zip.write("zipped text", zipped);
  zip.finish(zipped);
  answer_with({http_answer("first"), http_answer(""), http_answer(large),
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
               http_answer(zipped, "Content-Encoding: gzip\r\n"),
               "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + http_answer("after hints"),
               "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"});
  const std::vector<std::string> bodies{"first", "", large, "abcde", "zipped text", "after hints"};
  test::run_on_loop([&]() -> awaitable<void> {
    for (const auto& expected : bodies) {
      const auto body = co_await get();
      EXPECT_TRUE(body == expected) << body.substr(0, 100);
    }
    const auto none = co_await web.head(peer.url());
    EXPECT_EQ(none.body, "");
  });
  EXPECT_EQ(peer.accepted(), 1);
}

TEST_F(http_client_kept, a_deadline_names_the_step_and_closes) {
  answer_with({http_answer("first"), hang_now});
  const auto where = test::run_on_loop([&]() -> awaitable<request_error::position> {
    co_await get();
    auto found = co_await failure_of(50ms);
    co_return found;
  });
  EXPECT_TRUE(where.timed_out);
  EXPECT_TRUE(where.reused);
  EXPECT_TRUE(where.may_have_arrived);
  EXPECT_EQ(where.step, request_step::first_byte);
  EXPECT_EQ(where.address, "127.0.0.1:" + std::to_string(peer.port()));
  EXPECT_EQ(where.url, peer.url());
  EXPECT_EQ(where.method, "GET");
}

TEST_F(http_client_kept, a_deadline_ends_half_an_answer) {
  answer_with({http_answer("first"), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"});
  const auto where = test::run_on_loop([&]() -> awaitable<request_error::position> {
    co_await get();
    auto found = co_await failure_of(50ms);
    co_return found;
  });
  EXPECT_TRUE(where.timed_out);
  EXPECT_EQ(where.step, request_step::reading);
}

// What the timer of a connection was set to for an earlier request is not for the next one.
TEST_F(http_client_kept, a_deadline_is_that_of_its_request) {
  answer_with({http_answer("first"), http_answer("second"), hang_now});
  test::run_on_loop([&]() -> awaitable<void> {
    co_await get("/", 10s);
    co_await get("/", 60ms);
    auto waiting = get("/", 30s);
    bool ended = true;
    try {
      co_await with_timeout(std::move(waiting), 200ms);
    } catch (const timed_out&) {
      ended = false;
    }
    EXPECT_FALSE(ended);
  });
}

TEST_F(http_client_kept, a_cancelled_request_closes_its_connection) {
  answer_with({http_answer("first"), hang_now});
  test::run_on_loop([&]() -> awaitable<void> {
    co_await get();
    auto waiting = get();
    bool cancelled = false;
    try {
      co_await with_timeout(std::move(waiting), 50ms);
    } catch (const timed_out&) {
      cancelled = true;
    }
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(web.connections().in_use, 0u);
    EXPECT_EQ(web.connections().idle, 0u);
    const auto body = co_await get();
    EXPECT_EQ(body, "fresh");
  });
}

TEST_F(http_client_kept, a_connection_that_dies_is_replaced_for_a_get_alone) {
  answer_with({http_answer("first"), close_now});
  test::run_on_loop([&]() -> awaitable<void> {
    co_await get();
    const auto body = co_await get();
    EXPECT_EQ(body, "fresh");
  });
  EXPECT_EQ(peer.accepted(), 2);
}

TEST_F(http_client_kept, a_post_that_may_have_arrived_fails) {
  answer_with({http_answer("first"), close_now});
  test::run_on_loop([&]() -> awaitable<void> {
    co_await get();
    bool failed = false;
    try {
      co_await web.post(peer.url(), {.body = "x"});
    } catch (const request_error& e) {
      failed = e.reused() && e.may_have_arrived() && e.attempt() == 1;
    }
    EXPECT_TRUE(failed);
  });
  EXPECT_EQ(peer.accepted(), 1);
}

TEST_F(http_client_kept, redirects_and_retries_go_on_from_there) {
  client_options options;
  options.retries.max_attempts = 2;
  options.retries.first_pause = 1ms;
  client patient(options);
  answer_with({http_answer("first"), http_answer("", "Location: /there\r\n", "302 Found"),
               http_answer("there"), http_answer("", "", "503 Service Unavailable"), http_answer("again")});
  test::run_on_loop([&]() -> awaitable<void> {
    co_await patient.get(peer.url());
    auto page = co_await patient.get(peer.url());
    EXPECT_EQ(page.body, "there");
    page = co_await patient.get(peer.url());
    EXPECT_EQ(page.body, "again");
    page = co_await patient.get(peer.url());
    EXPECT_EQ(page.body, "fresh");
  });
}

TEST_F(http_client_kept, a_redirect_that_is_not_followed_is_the_answer) {
  answer_with({http_answer("first"), http_answer("elsewhere", "Location: /there\r\n", "302 Found")});
  test::run_on_loop([&]() -> awaitable<void> {
    co_await get();
    const auto page = co_await web.get(peer.url(), {.max_redirects = 0});
    EXPECT_EQ(page.status, 302);
    EXPECT_EQ(page.body, "elsewhere");
  });
}

TEST_F(http_client_kept, a_body_beyond_the_limit_is_an_error) {
  answer_with({http_answer("first"), http_answer(std::string(100, 'x'))});
  test::run_on_loop([&]() -> awaitable<void> {
    co_await get();
    std::string what;
    try {
      co_await web.get(peer.url(), {.max_body = 99});
    } catch (const request_error& e) {
      what = e.cause();
    }
    EXPECT_EQ(what, "the body is larger than 99 bytes");
    EXPECT_EQ(web.connections().in_use, 0u);
  });
}

// It would be the answer to the next request.
TEST_F(http_client_kept, what_comes_behind_an_answer_reaches_nobody) {
  answer_with({http_answer("first"), http_answer("second") + http_answer("third"), http_answer("fourth")});
  test::run_on_loop([&]() -> awaitable<void> {
    co_await get();
    const auto second = co_await get();
    EXPECT_EQ(second, "second");
    const auto next = co_await get();
    EXPECT_EQ(next, "fresh");
  });
}

TEST_F(http_client_kept, an_unknown_transfer_coding_is_an_error) {
  answer_with({http_answer("first"),
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: deflate, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"});
  test::run_on_loop([&]() -> awaitable<void> {
    co_await get();
    const auto where = co_await failure_of(10s);
    EXPECT_FALSE(where.timed_out);
    EXPECT_EQ(where.step, request_step::first_byte);
  });
}

}  // namespace
}  // namespace quarq::http::client_kept_tests
