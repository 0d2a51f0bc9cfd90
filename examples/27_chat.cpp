// A chat on WebSockets: a server with rooms, in which everybody gets what anybody says. Two guests talk on the same
// loop; with a port as its argument it only serves, say for python -m websockets ws://127.0.0.1:8080/rooms/tea.
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

#include <quarq/http/client.hpp>
#include <quarq/http/server.hpp>
#include <quarq/quarq.hpp>

using quarq::awaitable;
using quarq::http::websocket;

class chat {
 public:
  // Until the guest leaves: then receive() throws websocket_closed, which ends the route in good order.
  awaitable<void> join(std::string room, websocket& guest) {
    const auto leave = [this, room](websocket* one) { rooms_[room].erase(one); };
    const std::unique_ptr<websocket, decltype(leave)> place(&guest, leave);
    rooms_[room].insert(&guest);
    while (true) {
      const auto said = co_await guest.receive();
      // Without waiting: one who reads too slowly misses something, and holds up nobody.
      for (auto* one : rooms_[room]) one->try_send_text(said.data);
    }
  }

 private:
  std::map<std::string, std::set<websocket*>> rooms_;
};

awaitable<void> guests_talk(std::string url) {
  quarq::http::client web;
  auto anna = co_await web.websocket(url);
  auto bert = co_await web.websocket(url);
  co_await anna.ping();  // both have joined when this is answered
  co_await bert.ping();
  co_await anna.send_text("anna: is there tea?");
  const auto heard = co_await bert.receive();
  std::cout << "bert hears \"" << heard.data << "\"\n";
  co_await bert.send_text("bert: there is");
  co_await anna.receive();  // her own words come back, too
  const auto answer = co_await anna.receive();
  std::cout << "anna hears \"" << answer.data << "\"\n";
  co_await anna.close();
  co_await bert.close();
}

awaitable<void> talk_and_stop(quarq::http::server& server, std::string url) {
  co_await guests_talk(url);
  server.stop();
}

awaitable<void> program(std::uint16_t port) {
  chat all;
  quarq::http::server server{{.port = port}};
  const auto join = [&all](std::string room, websocket& guest) { return all.join(room, guest); };
  server.websocket("/rooms/{room}", join);
  const auto url = "ws://127.0.0.1:" + std::to_string(server.listen()) + "/rooms/tea";
  std::cout << (port == 0 ? "two guests meet\n" : "serving at " + url + "\n");
  if (port != 0) {
    co_await server.run();
  } else {
    co_await quarq::gather(server.run(), talk_and_stop(server, url));
  }
}

int main(int argc, char** argv) {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  return quarq::main(program(port));
}

// It prints:
//   two guests meet
//   bert hears "anna: is there tea?"
//   anna hears "bert: there is"
