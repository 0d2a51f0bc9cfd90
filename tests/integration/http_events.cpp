#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/http/events.hpp>
#include <quarq/time.hpp>

#include "support/http_peer.hpp"
#include "support/on_loop.hpp"

namespace quarq::http::event_tests {
namespace {

using namespace std::chrono_literals;
using test::always;
using test::http_answer;
using test::http_peer;
using test::read_request;

const std::string stream_header = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n";

TEST(http_events, come_on_over_lost_connections) {
  std::mutex mutex;
  std::vector<std::string> requests;
  // Two events on each connection, and then it is lost in the middle of a third; after six there are no more.
  const auto two_each = [&](stream& io, int number) -> awaitable<void> {
    const auto request = co_await read_request(io);
    {
      const std::lock_guard lock(mutex);
      requests.push_back(request);
    }
    if (number > 3) {
      co_await io.write("HTTP/1.1 204 No Content\r\n\r\n");
      co_return;
    }
    std::string bytes = stream_header + "retry: 1\n\n";
    for (int i = number * 2 - 1; i <= number * 2; ++i)
      bytes += "id: " + std::to_string(i) + "\nevent: tick\ndata: event " + std::to_string(i) + "\n\n";
    bytes += "id: 99\ndata: half an ev";
    co_await io.write(bytes);
  };
  http_peer peer(two_each);
  client web;
  test::run_on_loop([&]() -> awaitable<void> {
    event_stream events(web, peer.url("/events"));
    for (int i = 1; i <= 6; ++i) {
      const auto event = co_await events.next();
      EXPECT_TRUE(event);
      if (!event) co_return;
      EXPECT_EQ(event->type, "tick");
      EXPECT_EQ(event->data, "event " + std::to_string(i));
      EXPECT_EQ(event->id, std::to_string(i));
    }
    const auto end = co_await events.next();
    EXPECT_FALSE(end);
  });
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_NE(requests[0].find("\r\nAccept: text/event-stream\r\n"), std::string::npos);
  EXPECT_EQ(requests[0].find("Last-Event-ID"), std::string::npos);
  EXPECT_NE(requests[1].find("\r\nLast-Event-ID: 2\r\n"), std::string::npos);
  EXPECT_NE(requests[3].find("\r\nLast-Event-ID: 6\r\n"), std::string::npos);
}

TEST(http_events, need_a_stream_of_them) {
  client web;
  for (const auto& answer :
       {http_answer("no", "Content-Type: text/html\r\n"), http_answer("no", "", "404 Not Found")}) {
    http_peer peer(always(answer));
    event_stream events(web, peer.url());
    EXPECT_THROW(test::run_on_loop(events.next()), status_error);
  }
  std::string gone;
  {
    http_peer peer(always(""));
    gone = peer.url();
  }
  event_stream events(web, gone);
  EXPECT_THROW(test::run_on_loop(events.next()), request_error);
}

TEST(http_events, a_silent_server_is_asked_again) {
  std::atomic<int> connections{0};
  const auto silent = [&](stream& io, int number) -> awaitable<void> {
    ++connections;
    co_await read_request(io);
    co_await io.write(stream_header);
    if (number > 1) co_await io.write("data: at last\n\n");
    co_await read_request(io);
  };
  http_peer peer(silent);
  client web;
  events_options options;
  options.max_silence = 20ms;
  options.retry = 1ms;
  test::run_on_loop([&]() -> awaitable<void> {
    event_stream events(web, peer.url(), options);
    const auto event = co_await events.next();
    EXPECT_EQ(event.value_or(server_event()).data, "at last");
  });
  EXPECT_GE(connections, 2);
}

TEST(http_events, a_cancelled_wait_may_be_taken_up) {
  std::atomic<bool> cancelled{false};
  const auto later = [&](stream& io, int) -> awaitable<void> {
    co_await read_request(io);
    co_await io.write(stream_header);
    co_await test::until([&] { return cancelled.load(); });
    co_await io.write("data: x\n\n");
    co_await read_request(io);
  };
  http_peer peer(later);
  client web;
  events_options options;
  options.retry = 1ms;
  test::run_on_loop([&]() -> awaitable<void> {
    event_stream events(web, peer.url(), options);
    try {
      co_await with_timeout(events.next(), 20ms);
      ADD_FAILURE() << "an event";
    } catch (const timed_out&) {
      cancelled = true;
    }
    // Over the same connection, if that was made at the very moment of the timeout; else over another.
    const auto event = co_await events.next();
    EXPECT_EQ(event.value_or(server_event()).data, "x");
  });
}

}  // namespace
}  // namespace quarq::http::event_tests
