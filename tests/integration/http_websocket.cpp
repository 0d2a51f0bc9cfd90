// WebSockets over real sockets: both roles of the library, and peers that misbehave.
#include <chrono>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/describe.hpp>
#include <gtest/gtest.h>

#include <quarq/http/client.hpp>
#include <quarq/http/websocket.hpp>
#include <quarq/task_group.hpp>
#include <quarq/time.hpp>

#include "support/errors.hpp"
#include "support/manual_loop.hpp"
#include "support/on_loop.hpp"
#include "support/websocket_frames.hpp"
#include "support/websocket_pair.hpp"

namespace quarq::test::http_websocket {

using namespace std::chrono_literals;
using http::message;
using http::websocket;
using http::websocket_closed;
using http::websocket_options;

struct event {
  std::string name;
  int count = 0;
};
BOOST_DESCRIBE_STRUCT(event, (), (name, count))

namespace {

awaitable<void> echo(websocket& socket) {
  while (true) {
    const auto one = co_await socket.receive();
    co_await socket.send(one);
  }
}

// The code with which it ended.
awaitable<int> code_of_receive(websocket& socket) {
  int code = 0;
  try {
    while (true) co_await socket.receive();
  } catch (const websocket_closed& closed) {
    code = closed.code();
  }
  co_return code;
}

awaitable<void> echo_to_end(websocket& socket, int& code) {
  try {
    co_await echo(socket);
  } catch (const websocket_closed& closed) {
    code = closed.code();
  }
}

awaitable<void> messages_come_back(websocket_options options, transport how = transport::tcp) {
  auto both = co_await connected_websockets(options, how);
  int code = 0;
  const auto all = [&](task_group& group) -> awaitable<void> {
    group.spawn(echo_to_end(both.server, code));
    for (const std::size_t size : {0, 1, 125, 126, 1000, 65'535, 65'536, 1'000'000}) {
      const std::string data(size, 'x');
      co_await both.client.send_text(data);
      const auto back = co_await both.client.receive();
      EXPECT_EQ(back.data, data);
      EXPECT_TRUE(back.is_text);
    }
    co_await both.client.send_binary("\xff\xfe");
    const auto back = co_await both.client.receive();
    EXPECT_EQ(back.data, "\xff\xfe");
    EXPECT_FALSE(back.is_text);
    co_await both.client.close(4000, "done");
  };
  co_await with_task_group(all);
  EXPECT_EQ(code, 4000);
}

TEST(http_websocket, messages_come_back) {
  run_on_loop(messages_come_back({}));
}

TEST(http_websocket, messages_come_back_over_tls) {
  run_on_loop(messages_come_back({}, transport::tls));
}

TEST(http_websocket, compressed_messages_come_back) {
  run_on_loop(messages_come_back({.compression = true}));
}

awaitable<void> structs_go_as_json() {
  auto both = co_await connected_websockets();
  event sent;
  sent.name = "started";
  sent.count = 7;
  co_await both.server.send_json(sent);
  const auto received = co_await both.client.receive();
  EXPECT_EQ(received.data, R"({"name": "started", "count": 7})");
  EXPECT_EQ(received.as<event>().count, 7);
  co_await both.client.send_text("{\"name\": 1}");
  const auto wrong = co_await both.server.receive();
  const auto why = error_of<decode_error>([&] { wrong.as<event>(); });
  EXPECT_EQ(why, "message: field name: expected string, got integer");
  const http::message broken("{\"name\": ", true);
  const auto syntax = error_of<decode_error>([&] { broken.as<event>(); });
  EXPECT_TRUE(syntax.starts_with("message: JSON, line 1, ")) << syntax;
}

TEST(http_websocket, structs_go_as_json) {
  run_on_loop(structs_go_as_json());
}

awaitable<void> both_agree_on_a_subprotocol() {
  auto both = co_await connected_websockets({.subprotocols = "chat.v2, chat.v1"});
  EXPECT_EQ(both.client.subprotocol(), "chat.v2");
  EXPECT_EQ(both.server.subprotocol(), "chat.v2");
}

TEST(http_websocket, both_agree_on_a_subprotocol) {
  run_on_loop(both_agree_on_a_subprotocol());
}

awaitable<void> what_cannot_be_sent_is_refused() {
  auto both = co_await connected_websockets();
  const auto for_text = co_await error_of<usage_error>(both.client.send_text("\xff"));
  EXPECT_NE(for_text, "(no error)");
  const auto for_code = co_await error_of<usage_error>(both.client.close(1005));
  EXPECT_NE(for_code, "(no error)");
  const auto for_reason = co_await error_of<usage_error>(both.client.close(1000, std::string(124, 'x')));
  EXPECT_NE(for_reason, "(no error)");
  EXPECT_TRUE(both.client.is_open());
}

TEST(http_websocket, what_cannot_be_sent_is_refused) {
  run_on_loop(what_cannot_be_sent_is_refused());
}

awaitable<void> pongs_come_though_the_peer_receives_nothing() {
  auto both = co_await connected_websockets();
  const auto took = co_await with_timeout(both.client.ping(), default_timeout);
  EXPECT_GT(took.count(), 0);
}

TEST(http_websocket, pongs_come_though_the_peer_receives_nothing) {
  run_on_loop(pongs_come_though_the_peer_receives_nothing());
}

awaitable<void> a_destroyed_one_says_that_it_goes_away() {
  auto both = co_await connected_websockets();
  {
    const auto gone = std::move(both.server);
  }
  const int code = co_await code_of_receive(both.client);
  EXPECT_EQ(code, 1001);
  const auto for_sending = co_await error_of<websocket_closed>(both.client.send_text("too late"));
  EXPECT_NE(for_sending, "(no error)");
}

TEST(http_websocket, a_destroyed_one_says_that_it_goes_away) {
  run_on_loop(a_destroyed_one_says_that_it_goes_away());
}

awaitable<void> a_sender_waits_for_a_peer_that_does_not_read() {
  auto pair = co_await websocket_and_raw_client();
  const std::string large(1'000'000, 'x');
  std::size_t queued = 0;
  const auto flood = [](websocket& to, const std::string& data, std::size_t& count) -> awaitable<void> {
    while (true) {
      co_await to.send_binary(data);
      ++count;
    }
  };
  auto sending = with_timeout(flood(pair.server, large, queued), 200ms);
  const auto for_flooding = co_await error_of<timed_out>(std::move(sending));
  EXPECT_NE(for_flooding, "(no error)");
  EXPECT_LT(pair.server.unsent(), 64'000U + 1'000'100U);
  EXPECT_LT(queued, 30U);
  EXPECT_FALSE(pair.server.try_send_text("no room"));

  // What was queued arrives whole.
  pair.client->socket().non_blocking(true);
  auto& server = pair.server;
  auto closing = [](websocket& which) -> awaitable<void> { co_await which.close(1000); }(server);
  std::string got;
  const auto all = [&](task_group& group) -> awaitable<void> {
    group.spawn(std::move(closing));
    std::vector<char> space(100'000);
    while (true) {
      const auto size = co_await pair.client->read_some(space);
      if (size == 0) break;
      got.append(space.data(), size);
      if (got.ends_with("\x88\x02\x03\xe8")) co_await pair.client->write(frame_of(0x88, "\x03\xe8", true));
    }
  };
  co_await with_task_group(all);
  const auto frames = take_frames(got);
  EXPECT_EQ(frames.size(), queued + 1);
  EXPECT_EQ(frames.at(0).payload, large);
}

TEST(http_websocket, a_sender_waits_for_a_peer_that_does_not_read) {
  run_on_loop(a_sender_waits_for_a_peer_that_does_not_read());
}

awaitable<void> many_senders_take_turns() {
  auto both = co_await connected_websockets({.send_mark = 1000});
  const auto all = [&](task_group& group) -> awaitable<void> {
    const auto send_some = [](websocket& to, std::string data) -> awaitable<void> {
      for (int i = 0; i < 20; ++i) co_await to.send_text(data);
    };
    for (int i = 0; i < 20; ++i) {
      std::string data(5'000, static_cast<char>('a' + i));
      group.spawn(send_some(both.client, std::move(data)));
    }
    std::vector<int> counts(20);
    for (int i = 0; i < 400; ++i) {
      const auto one = co_await both.server.receive();
      EXPECT_EQ(one.data, std::string(5'000, one.data.at(0)));
      ++counts[static_cast<std::size_t>(one.data.at(0) - 'a')];
    }
    EXPECT_EQ(counts, std::vector<int>(20, 20));
  };
  co_await with_task_group(all);
}

TEST(http_websocket, many_senders_take_turns) {
  run_on_loop(many_senders_take_turns());
}

awaitable<void> a_cancelled_receive_loses_no_message() {
  auto both = co_await connected_websockets();
  for (int i = 0; i < 50; ++i) {
    auto receiving = with_timeout(both.server.receive(), std::chrono::microseconds(i * 20));
    const auto text = std::to_string(i);
    co_await both.client.send_text(text);
    std::string got;
    try {
      const auto one = co_await std::move(receiving);
      got = one.data;
    } catch (const timed_out&) {
    }
    if (got.empty()) {
      const auto one = co_await both.server.receive();
      got = one.data;
    }
    EXPECT_EQ(got, text);
  }
}

TEST(http_websocket, a_cancelled_receive_loses_no_message) {
  run_on_loop(a_cancelled_receive_loses_no_message());
}

// Beast #2647: the peer packs its close frame with data, or goes on talking behind it.
awaitable<void> a_close_frame_among_data_is_answered() {
  auto pair = co_await websocket_and_raw_client();
  const auto bytes =
      frame_of(0x81, "one", true) + frame_of(0x88, "\x03\xe8", true) + std::string(10'000, 'x');
  co_await pair.client->write(bytes);
  const int code = co_await code_of_receive(pair.server);
  EXPECT_EQ(code, 1000);
  const auto answer = co_await with_timeout(read_to_end(*pair.client), default_timeout);
  EXPECT_EQ(answer, "\x88\x02\x03\xe8");
}

TEST(http_websocket, a_close_frame_among_data_is_answered) {
  run_on_loop(a_close_frame_among_data_is_answered());
}

awaitable<void> closing_ends_though_the_peer_says_nothing() {
  auto pair = co_await websocket_and_raw_client({.close_timeout = 50ms});
  co_await with_timeout(pair.server.close(), default_timeout);
  const int code = co_await code_of_receive(pair.server);
  EXPECT_EQ(code, 1006);
}

TEST(http_websocket, closing_ends_though_the_peer_says_nothing) {
  run_on_loop(closing_ends_though_the_peer_says_nothing());
}

awaitable<void> a_silent_peer_is_found_out() {
  auto pair = co_await websocket_and_raw_client(
      {.ping_interval = 20ms, .idle_timeout = 100ms, .close_timeout = 50ms});
  const int code = co_await with_timeout(code_of_receive(pair.server), default_timeout);
  EXPECT_EQ(code, 1006);
  auto answer = co_await read_to_end(*pair.client);
  const auto frames = take_frames(answer);
  EXPECT_GE(frames.size(), 2U);
  EXPECT_EQ(frames.at(0).first, 0x89);
  EXPECT_EQ(frames.back().payload, "\x03\xf3nothing came for 100 ms");
}

TEST(http_websocket, a_silent_peer_is_found_out) {
  run_on_loop(a_silent_peer_is_found_out());
}

awaitable<void> a_message_that_is_too_long_closes_with_1009() {
  auto both = co_await connected_websockets({.max_message = 1000});
  int code = 0;
  const auto all = [&](task_group& group) -> awaitable<void> {
    group.spawn(echo_to_end(both.server, code));
    const std::string large(5'000, 'x');
    co_await both.client.send_text(large);
    const int seen = co_await code_of_receive(both.client);
    EXPECT_EQ(seen, 1009);
  };
  co_await with_task_group(all);
  EXPECT_EQ(code, 1009);
}

TEST(http_websocket, a_message_that_is_too_long_closes_with_1009) {
  run_on_loop(a_message_that_is_too_long_closes_with_1009());
}

awaitable<void> a_reset_is_1006() {
  auto pair = co_await websocket_and_raw_client();
  pair.client->socket().set_option(boost::asio::socket_base::linger(true, 0));
  pair.client->close();
  const int code = co_await with_timeout(code_of_receive(pair.server), default_timeout);
  EXPECT_EQ(code, 1006);
}

TEST(http_websocket, a_reset_is_1006) {
  run_on_loop(a_reset_is_1006());
}

TEST(http_websocket, a_loop_may_end_with_open_ones) {
  manual_loop loop;
  const auto wait_for_ever = []() -> awaitable<void> {
    auto both = co_await connected_websockets();
    co_await both.client.send_text("never taken");
    co_await both.client.receive();
  };
  const auto one = loop.start(wait_for_ever());
  for (int i = 0; i < 100; ++i) loop.run_ready();
  EXPECT_FALSE(one->ended());
  loop.end_loop();
}

// ---- the client

awaitable<void> echo_for_one(boost::asio::ip::tcp::acceptor& acceptor, websocket_options options) {
  auto accepted = co_await acceptor.async_accept(boost::asio::use_awaitable);
  auto connected = std::make_unique<http::stream>(std::move(accepted));
  auto socket = co_await accept_websocket(std::move(connected), options);
  int code = 0;
  co_await echo_to_end(socket, code);
  EXPECT_EQ(code, 1000);
}

awaitable<void> a_client_opens_one_by_its_url() {
  const auto loop = co_await boost::asio::this_coro::executor;
  boost::asio::ip::tcp::acceptor acceptor(loop, {boost::asio::ip::address_v4::loopback(), 0});
  const auto url = "ws://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/live?room=7";
  http::client web;
  const auto all = [&](task_group& group) -> awaitable<void> {
    group.spawn(echo_for_one(acceptor, {.subprotocols = "echo"}));
    auto socket = co_await web.websocket(url, {.subprotocols = "other, echo"}, {.bearer = "hunter2"});
    EXPECT_EQ(socket.subprotocol(), "echo");
    co_await socket.send_text("hello");
    const auto back = co_await socket.receive();
    EXPECT_EQ(back.data, "hello");
    co_await socket.close();
  };
  co_await with_task_group(all);
  EXPECT_EQ(web.connections().in_use, 0U);
}

TEST(http_websocket, a_client_opens_one_by_its_url) {
  run_on_loop(a_client_opens_one_by_its_url());
}

awaitable<void> refuse_one(boost::asio::ip::tcp::acceptor& acceptor) {
  auto accepted = co_await acceptor.async_accept(boost::asio::use_awaitable);
  auto connected = std::make_unique<http::stream>(std::move(accepted));
  const auto why = co_await error_of<std::runtime_error>(accept_websocket(std::move(connected), {}));
  EXPECT_EQ(why, "pages of this origin may not connect");
}

awaitable<void> a_refusal_names_the_status() {
  const auto loop = co_await boost::asio::this_coro::executor;
  boost::asio::ip::tcp::acceptor acceptor(loop, {boost::asio::ip::address_v4::loopback(), 0});
  const auto place = "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
  http::client web;
  const http::fields headers{{"Origin", "https://evil.example"}};
  const auto all = [&](task_group& group) -> awaitable<void> {
    group.spawn(refuse_one(acceptor));
    auto opening = web.websocket("ws://" + place + "/", {}, {.headers = headers});
    std::string why;
    try {
      co_await std::move(opening);
    } catch (const http::request_error& refused) {
      why = refused.what();
    }
    EXPECT_EQ(why, "GET http://" + place + "/: waiting for the answer (" + place +
                       "): the server answered 403 rather than 101");
  };
  co_await with_task_group(all);
}

TEST(http_websocket, a_refusal_names_the_status) {
  run_on_loop(a_refusal_names_the_status());
}

// ---- at random

// Takes everything, with a timeout that is often too short.
awaitable<void> receive_impatiently(websocket& from, unsigned seed, int& count) {
  std::mt19937 random(seed);
  try {
    while (true) {
      try {
        auto receiving = with_timeout(from.receive(), std::chrono::microseconds(random() % 2'000));
        co_await std::move(receiving);
        ++count;
      } catch (const timed_out&) {
      }
    }
  } catch (const websocket_closed&) {
  }
}

awaitable<void> one_random_life(unsigned seed) {
  std::mt19937 random(seed);
  const auto chance = [&random](unsigned one_in) { return random() % one_in == 0; };
  auto both = co_await connected_websockets({.close_timeout = 500ms, .compression = chance(3)});
  int code = 0;
  int received = 0;
  int sent = 0;
  const auto all = [&](task_group& group) -> awaitable<void> {
    group.spawn(echo_to_end(both.server, code));
    group.spawn(receive_impatiently(both.client, seed, received));
    const std::string data(random() % 100'000, 'x');
    for (const auto count = random() % 20; sent < static_cast<int>(count); ++sent) {
      co_await both.client.send_text(data);
      if (chance(3)) co_await both.client.ping();
    }
    if (chance(2)) co_await until([&] { return received == sent; });
    auto closing = both.client.close(4001);
    if (chance(2)) closing = with_timeout(std::move(closing), std::chrono::microseconds(random() % 300));
    co_await error_of<timed_out>(std::move(closing));
  };
  co_await with_task_group(all);
  EXPECT_LE(received, sent);
  EXPECT_EQ(code, 4001);
  EXPECT_FALSE(both.client.is_open());
}

awaitable<void> random_lives() {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    auto life = with_timeout(one_random_life(seed), default_timeout);
    const auto what = co_await error_of<error>(std::move(life));
    EXPECT_EQ(what, "(no error)") << seed;
  }
}

TEST(http_websocket, lives_at_random_end_well) {
  run_on_loop(random_lives());
}

}  // namespace
}  // namespace quarq::test::http_websocket
