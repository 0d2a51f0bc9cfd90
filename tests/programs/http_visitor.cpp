// The client as a command, for servers and proxies of other people (tests/interop/http): prints the status and the
// body, or "failed STEP: what", and ends with 1 then. With echo=URL it sends back what a WebSocket brings.
#include <cstdio>
#include <string>

#include <quarq/http/client.hpp>
#include <quarq/run.hpp>

#include "programs/die_with_parent.hpp"
#include "programs/words.hpp"

namespace quarq::test {
namespace {

http::client_options options_of(const words& from) {
  http::client_options o;
  o.timeout = std::chrono::milliseconds(from.number("timeout", o.timeout.count()));
  o.ca_file = from.text("ca");
  o.certificate_file = from.text("certificate");
  o.key_file = from.text("key");
  o.proxy = from.text("proxy");
  o.environment_proxy = false;
  return o;
}

awaitable<int> visit(const words& from) {
  http::client web(options_of(from));
  const auto url = from.text("url");
  const auto times = from.number("times", 1);
  int code = 0;
  for (long long i = 0; i < times; ++i) {
    try {
      const auto page = co_await web.get(url);
      std::printf("%d %s\n", page.status, page.body.c_str());
    } catch (const http::request_error& e) {
      std::printf("failed %s: %s\n", name_of(e.step()), e.what());
      code = 1;
    }
  }
  co_return code;
}

// Sends back what comes over WebSockets, one after another, until the server closes them.
awaitable<int> echo(const words& from) {
  http::client web(options_of(from));
  const http::websocket_options options{.max_message = 1 << 25, .compression = true};
  for (auto left = from.number("times", 1); left > 0; --left) {
    try {
      auto socket = co_await web.websocket(from.text("echo"), options);
      while (true) {
        const auto received = co_await socket.receive();
        co_await socket.send(received);
      }
    } catch (const http::websocket_closed&) {
    }
  }
  co_return 0;
}

}  // namespace
}  // namespace quarq::test

int main(int argc, char** argv) {
  quarq::test::die_with_parent();
  const quarq::test::words from(argc, argv);
  return quarq::main(from.has("echo") ? quarq::test::echo(from) : quarq::test::visit(from));
}
