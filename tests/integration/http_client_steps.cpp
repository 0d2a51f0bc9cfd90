// Each step of a request made to hang, cancelled, or refused.
#include <array>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <quarq/gather.hpp>
#include <quarq/http/client.hpp>
#include <quarq/task_group.hpp>
#include <quarq/time.hpp>

#include "support/http_peer.hpp"
#include "support/on_loop.hpp"

namespace quarq::http::client_step_tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::always;
using test::http_answer;
using test::http_peer;
using test::read_request;

struct failure {
  request_error::position where;
  std::string what;
};

failure failure_of(client& web, std::string url, std::string body = {}) {
  return test::run_on_loop([&]() -> awaitable<failure> {
    failure result;
    try {
      co_await web.post(url, {.timeout = 50ms, .body = body});
      result.what = "no error";
    } catch (const request_error& e) {
      result.where = e.where();
      result.what = e.what();
    }
    EXPECT_EQ(web.connections().in_use, 0u);
    co_return result;
  });
}

awaitable<void> hang(stream& io, int) {
  std::array<char, 1> space;
  while (true) {
    const auto size = co_await io.read_some(space);
    if (size == 0) co_return;
  }
}

TEST(http_client_deadline, names_the_first_byte) {
  http_peer peer(hang);
  client web;
  const auto result = failure_of(web, peer.url("/slow"));
  EXPECT_EQ(result.what, "POST " + peer.url("/slow") + ": waiting for the answer (127.0.0.1:" +
                             std::to_string(peer.port()) + "): not done within 50 ms");
  EXPECT_TRUE(result.where.timed_out);
  EXPECT_TRUE(result.where.may_have_arrived);
  EXPECT_EQ(result.where.step, request_step::first_byte);
  EXPECT_EQ(result.where.host, "127.0.0.1");
  EXPECT_EQ(result.where.port, peer.port());
  EXPECT_EQ(result.where.attempt, 1);
}

TEST(http_client_deadline, names_reading) {
  const auto half = [](stream& io, int number) -> awaitable<void> {
    co_await read_request(io);
    co_await io.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    co_await hang(io, number);
  };
  http_peer peer(half);
  client web;
  EXPECT_EQ(failure_of(web, peer.url()).where.step, request_step::reading);
}

TEST(http_client_deadline, names_writing) {
  const auto never_reads = [](stream& io, int) -> awaitable<void> {
    co_await sleep_for(1h);
    io.close();
  };
  http_peer peer(never_reads);
  client web;
  const auto result = failure_of(web, peer.url(), std::string(50'000'000, 'x'));
  EXPECT_EQ(result.where.step, request_step::writing);
  EXPECT_TRUE(result.where.may_have_arrived);
}

TEST(http_client_deadline, names_tls) {
  http_peer peer(hang);
  client web;
  const auto result = failure_of(web, "https://127.0.0.1:" + std::to_string(peer.port()) + "/");
  EXPECT_EQ(result.where.step, request_step::tls);
  EXPECT_FALSE(result.where.may_have_arrived);
}

// A socket that accepts nothing, and whose queue is full.
TEST(http_client_deadline, names_connecting) {
  asio::io_context loop;
  asio::ip::tcp::acceptor acceptor(loop);
  acceptor.open(asio::ip::tcp::v4());
  acceptor.bind({asio::ip::address_v4::loopback(), 0});
  acceptor.listen(0);
  std::vector<asio::ip::tcp::socket> filling;
  for (int i = 0; i < 3; ++i) {
    filling.emplace_back(loop);
    filling.back().open(asio::ip::tcp::v4());
    filling.back().non_blocking(true);
    const auto address = acceptor.local_endpoint();
    ::connect(filling.back().native_handle(), address.data(), static_cast<socklen_t>(address.size()));
  }
  client web;
  const auto result =
      failure_of(web, "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/");
  EXPECT_EQ(result.where.step, request_step::connecting) << result.what;
  EXPECT_EQ(result.where.address, "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
}

TEST(http_client_deadline, names_the_wait_for_a_connection) {
  http_peer peer(hang);
  client_options options;
  options.max_connections_per_host = 1;
  client web(options);
  test::run_on_loop([&]() -> awaitable<void> {
    auto first = [&]() -> awaitable<void> { co_await web.get(peer.url()); };
    auto second = [&]() -> awaitable<request_step> {
      request_step step{};
      try {
        co_await web.get(peer.url(), {.timeout = 50ms});
      } catch (const request_error& e) {
        step = e.step();
      }
      co_return step;
    };
    const auto first_of_both = co_await when_any(first(), second());
    EXPECT_EQ(std::get<1>(first_of_both), request_step::waiting_for_a_connection);
    EXPECT_EQ(web.connections().in_use, 0u);
  });
}

TEST(http_client_deadline, covers_redirects_together) {
  const auto slow = [](stream& io, int) -> awaitable<void> {
    while (true) {
      const auto request = co_await read_request(io);
      if (request.empty()) co_return;
      co_await sleep_for(20ms);
      co_await io.write(http_answer("", "Location: /again\r\n", "307 Temporary Redirect"));
    }
  };
  http_peer peer(slow);
  client web;
  EXPECT_TRUE(failure_of(web, peer.url()).where.timed_out);
}

TEST(http_client_deadline, silence_may_have_a_limit_of_its_own) {
  http_peer peer(hang);
  client_options options;
  options.max_silence = 20ms;
  client web(options);
  test::run_on_loop([&]() -> awaitable<void> {
    std::string what;
    try {
      co_await web.get(peer.url());
    } catch (const request_error& e) {
      what = e.what();
      EXPECT_FALSE(e.timed_out());
    }
    EXPECT_NE(what.find("nothing came for 20 ms"), std::string::npos) << what;
  });
}

TEST(http_client_steps, a_refused_connection_names_the_address) {
  std::uint16_t port = 0;
  {
    http_peer gone(hang);
    port = gone.port();
  }
  client web;
  const auto url = "http://localhost:" + std::to_string(port) + "/";
  const auto result = failure_of(web, url);
  EXPECT_EQ(result.where.step, request_step::connecting);
  EXPECT_NE(result.what.find("Connection refused"), std::string::npos) << result.what;
  EXPECT_NE(result.what.find("connecting to "), std::string::npos) << result.what;
  EXPECT_FALSE(result.where.may_have_arrived);
}

TEST(http_client_steps, a_name_without_an_address_is_named) {
  client web;
  test::run_on_loop([&]() -> awaitable<void> {
    std::string what;
    try {
      co_await web.get("http://no-such-name.invalid/");
    } catch (const request_error& e) {
      what = e.what();
      EXPECT_EQ(e.step(), request_step::looking_up);
    }
    EXPECT_TRUE(what.starts_with("GET http://no-such-name.invalid/: looking up no-such-name.invalid: "))
        << what;
  });
}

TEST(http_client_pool, requests_beyond_its_limits_wait_in_order) {
  http_peer peer(always(http_answer("x")));
  client_options options;
  options.max_connections = 3;
  options.max_connections_per_host = 2;
  client web(options);
  std::vector<int> order;
  test::run_on_loop([&]() -> awaitable<void> {
    std::size_t most = 0;
    auto one = [&](int number) -> awaitable<void> {
      co_await web.get(peer.url());
      order.push_back(number);
      most = std::max(most, web.connections().in_use + web.connections().idle);
    };
    std::vector<awaitable<void>> all;
    for (int i = 0; i < 200; ++i) all.push_back(one(i));
    co_await gather(std::move(all));
    EXPECT_LE(most, 2u);
  });
  EXPECT_EQ(order.size(), 200u);
  // Two connections may overtake each other, but nobody waits for long.
  for (int i = 0; i < 200; ++i) EXPECT_LE(std::abs(order[static_cast<std::size_t>(i)] - i), 2) << i;
  EXPECT_LE(peer.accepted(), 2);
}

TEST(http_client_pool, a_busy_client_starves_nobody) {
  http_peer peer(always(http_answer("x")));
  client_options options;
  options.max_connections_per_host = 1;
  client web(options);
  test::run_on_loop([&]() -> awaitable<void> {
    std::array<int, 4> done{};
    auto loop = [&](std::size_t who) -> awaitable<void> {
      for (int i = 0; i < 50; ++i) {
        co_await web.get(peer.url());
        ++done[who];
        // Whoever has just had the connection comes last.
        for (const int other : done) EXPECT_LE(std::abs(done[who] - other), 2);
      }
    };
    co_await gather(loop(0), loop(1), loop(2), loop(3));
  });
}

TEST(http_client_pool, hosts_share_what_all_may_have) {
  http_peer a(always(http_answer("x"))), b(always(http_answer("x"))), c(always(http_answer("x")));
  client_options options;
  options.max_connections = 2;
  client web(options);
  test::run_on_loop([&]() -> awaitable<void> {
    auto loop = [&](const http_peer& from) -> awaitable<void> {
      for (int i = 0; i < 30; ++i) {
        co_await web.get(from.url());
        EXPECT_LE(web.connections().in_use + web.connections().idle, 2u);
      }
    };
    co_await gather(loop(a), loop(b), loop(c), loop(a), loop(b));
  });
}

TEST(http_client_pool, idle_connections_are_closed_when_they_are_old) {
  http_peer peer(always(http_answer("x", "Keep-Alive: timeout=1\r\n")));
  client_options options;
  options.max_idle = 20ms;
  http_peer other(always(http_answer("x")));
  client web(options);
  test::run_on_loop([&]() -> awaitable<void> {
    // The server may close it at any moment within its last second.
    co_await web.get(peer.url());
    EXPECT_EQ(web.connections().idle, 0u);
    co_await web.get(other.url());
    EXPECT_EQ(web.connections().idle, 1u);
    const auto is_closed = [&] { return web.connections().idle == 0; };
    co_await test::until(is_closed);
  });
}

// Each request carries a number, which its answer must repeat.
http_peer::conversation closing_at_random() {
  return [](stream& io, int number) -> awaitable<void> {
    std::minstd_rand random(static_cast<unsigned>(number));
    while (true) {
      const auto request = co_await read_request(io);
      if (request.empty()) co_return;
      const auto chance = random() % 10;
      if (chance == 0) co_return;  // without an answer
      const auto id = request.substr(5, request.find(' ', 5) - 5);
      co_await io.write(http_answer(id));
      if (chance == 1) co_return;  // unannounced
    }
  };
}

TEST(http_client_reuse, a_server_that_closes_at_random_costs_no_get) {
  http_peer peer(closing_at_random());
  client_options options;
  options.retries.max_attempts = 5;
  options.retries.first_pause = 1ms;
  client web(options);
  int first_use = 0;
  test::run_on_loop([&]() -> awaitable<void> {
    auto some = [&](int who) -> awaitable<void> {
      for (int i = 0; i < 1250; ++i) {
        const auto id = std::to_string(who * 10'000 + i);
        try {
          const auto page = co_await web.get(peer.url("/" + id));
          EXPECT_EQ(page.body, id);
        } catch (const request_error& e) {
          // A server that closes a connection that it has just accepted is broken: that is an error.
          EXPECT_FALSE(e.reused()) << e.what();
          ++first_use;
        }
      }
    };
    std::vector<awaitable<void>> all;
    for (int who = 0; who < 8; ++who) all.push_back(some(who));
    co_await gather(std::move(all));
  });
  EXPECT_LT(first_use, 1000);
  EXPECT_EQ(web.connections().in_use, 0u);
}

}  // namespace
}  // namespace quarq::http::client_step_tests
