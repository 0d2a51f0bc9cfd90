// WebSockets with Python's websockets and aiohttp, and with Node's ws, at the other end, in both roles.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <quarq/http/websocket.hpp>

#include "http/websocket/open.hpp"
#include "support/command.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"
#include "support/websocket_pair.hpp"

namespace quarq::test::websocket_interop {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using http::websocket_closed;
using http::websocket_options;

struct peer {
  std::string library;
  bool compression;
};

class websocket_peers : public testing::TestWithParam<peer> {
 protected:
  void SetUp() override {
    if (is_there()) return;
    const auto missing =
        GetParam().library + (in_node() ? " is not in build/node-peers" : " is not in build/peers");
    if (std::getenv("CI") != nullptr) FAIL() << missing;
    GTEST_SKIP() << missing;
  }

  static bool in_node() { return GetParam().library == "ws"; }
  static bool is_there() {
    if (in_node()) {
      return std::filesystem::exists(QUARQ_TEST_SOURCE_DIR "/../build/node-peers/node_modules/ws") &&
             run_command({"node", "--version"}).exit_code == 0;
    }
    return std::filesystem::exists(interpreter()) &&
           run_command({interpreter(), "-c", "import " + GetParam().library}).exit_code == 0;
  }
  static std::string interpreter() {
    return in_node() ? "node" : QUARQ_TEST_SOURCE_DIR "/../build/peers/bin/python";
  }
  static std::string script() {
    return QUARQ_TEST_SOURCE_DIR "/interop/websocket_peer" + std::string(in_node() ? ".mjs" : ".py");
  }
  static websocket_options options() {
    return {.max_message = 1 << 24, .compression = GetParam().compression, .subprotocols = "echo"};
  }

  static awaitable<http::websocket> connect(std::uint16_t port) {
    const auto loop = co_await asio::this_coro::executor;
    tcp::socket socket(loop);
    socket.connect({asio::ip::address_v4::loopback(), port});
    auto connected = std::make_unique<http::stream>(std::move(socket));
    http::fields none;
    auto opened = co_await http::ws::open_websocket(std::move(connected), "127.0.0.1:" + std::to_string(port),
                                                    "/", std::move(none), options());
    co_return opened;
  }
};

awaitable<void> talk(http::websocket& socket) {
  EXPECT_EQ(socket.subprotocol(), "echo");
  const std::vector<std::string> all{"", "hello", "\xc3\xa4hnlich", std::string(126, 'x'),
                                     std::string(70'000, 'y')};
  for (const auto& text : all) {
    co_await socket.send_text(text);
    const auto back = co_await socket.receive();
    EXPECT_EQ(back.data, text);
    EXPECT_TRUE(back.is_text);
  }
  const std::string bytes("\0\xff\xfe", 3);
  co_await socket.send_binary(bytes);
  const auto back = co_await socket.receive();
  EXPECT_EQ(back.data, bytes);
  EXPECT_FALSE(back.is_text);
  co_await socket.ping();
}

TEST_P(websocket_peers, a_server_of_theirs_echoes_and_closes) {
  const process server({"/usr/bin/env", interpreter(), script(), "serve", GetParam().library});
  ASSERT_TRUE(eventually([&] { return server.output().ends_with('\n'); }, default_timeout)) << server.log();
  const auto port = static_cast<std::uint16_t>(std::stoi(server.output()));
  const auto both_ways_to_close = [port]() -> awaitable<void> {
    auto socket = co_await connect(port);
    co_await talk(socket);
    co_await socket.send_text("close 4001 as you like");
    int code = 0;
    std::string reason;
    try {
      co_await socket.receive();
    } catch (const websocket_closed& closed) {
      code = closed.code();
      reason = closed.reason();
    }
    EXPECT_EQ(code, 4001);
    EXPECT_EQ(reason, "as you like");

    auto other = co_await connect(port);
    co_await other.close(4003, "enough");
    try {
      co_await other.receive();
    } catch (const websocket_closed& closed) {
      code = closed.code();
    }
    // aiohttp answers every close frame with 1000.
    EXPECT_EQ(code, GetParam().library == "aiohttp" ? 1000 : 4003);
  };
  run_on_loop(both_ways_to_close());
}

// Echoes one client's messages, and returns the code with which it has closed.
awaitable<int> serve_one(tcp::acceptor& acceptor, websocket_options options) {
  auto accepted = co_await acceptor.async_accept(asio::use_awaitable);
  auto connected = std::make_unique<http::stream>(std::move(accepted));
  auto socket = co_await accept_websocket(std::move(connected), options);
  int code = 0;
  try {
    while (true) {
      const auto one = co_await socket.receive();
      co_await socket.send(one);
    }
  } catch (const websocket_closed& closed) {
    code = closed.code();
  }
  co_return code;
}

TEST_P(websocket_peers, a_client_of_theirs_talks_and_closes) {
  const auto serve = []() -> awaitable<void> {
    const auto loop = co_await asio::this_coro::executor;
    tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const auto url = "ws://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/";
    std::vector<std::string> words{"/usr/bin/env", interpreter(), script(), "talk", GetParam().library, url};
    if (GetParam().compression) words.push_back("deflate");
    const process client(words);
    const int code = co_await serve_one(acceptor, options());
    EXPECT_EQ(code, 4002);
    co_await until([&] { return client.output() == "ok\n" || !client.log().empty(); });
    EXPECT_EQ(client.log(), "");
  };
  run_on_loop(serve());
}

INSTANTIATE_TEST_SUITE_P(at, websocket_peers,
                         testing::Values(peer{"websockets", false}, peer{"websockets", true},
                                         peer{"aiohttp", false}, peer{"aiohttp", true}, peer{"ws", false},
                                         peer{"ws", true}),
                         [](const testing::TestParamInfo<peer>& one) {
                           return one.param.library + (one.param.compression ? "_deflate" : "");
                         });

}  // namespace
}  // namespace quarq::test::websocket_interop
