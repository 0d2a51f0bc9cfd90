// Ten thousand WebSockets at one server, and a client for each of them, all on one thread. Each says its number and
// hears it again; then one word goes to all.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>

#include <quarq/http/client.hpp>
#include <quarq/http/server.hpp>
#include <quarq/quarq.hpp>

using quarq::awaitable;
using quarq::http::websocket;

class crowd {
 public:
  awaitable<void> join(websocket& one) {
    const auto leave = [this](websocket* gone) { all_.erase(gone); };
    const std::unique_ptr<websocket, decltype(leave)> place(&one, leave);
    all_.insert(&one);
    while (true) {
      const auto said = co_await one.receive();  // throws when it is closed, which ends the route
      co_await one.send(said);
    }
  }

  // Without waiting: a peer that reads too slowly misses it.
  void tell_all(std::string_view word) {
    for (auto* one : all_) one->try_send_text(word);
  }
  std::size_t size() const { return all_.size(); }

 private:
  std::set<websocket*> all_;
};

class guest {
 public:
  awaitable<void> arrive(quarq::http::client& web, std::string url, int number) {
    auto opened = co_await web.websocket(url);
    socket_.emplace(std::move(opened));
    co_await socket_->send_text(std::to_string(number));
    const auto echo = co_await socket_->receive();
    if (echo.data != std::to_string(number)) throw std::runtime_error("that was another's number");
  }
  awaitable<void> hear(std::string_view word) {
    const auto heard = co_await socket_->receive();
    if (heard.data != word) throw std::runtime_error("that was another word");
  }
  awaitable<void> leave() { co_await socket_->close(); }

 private:
  std::optional<websocket> socket_;
};

awaitable<void> meet(quarq::http::server& server, crowd& all, std::string url, int count) {
  quarq::http::client web;
  std::vector<guest> guests(static_cast<std::size_t>(count));
  std::vector<int> numbers(guests.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  const quarq::coroutines here;
  const quarq::map_options at_once{.max_concurrency = 100};
  const auto arrive = [&](int i) { return guests[static_cast<std::size_t>(i)].arrive(web, url, i); };
  const auto hear = [&](int i) { return guests[static_cast<std::size_t>(i)].hear("welcome"); };
  const auto leave = [&](int i) { return guests[static_cast<std::size_t>(i)].leave(); };
  co_await here.map(arrive, numbers, at_once);
  std::cout << all.size() << " WebSockets are open\n";
  all.tell_all("welcome");
  co_await here.map(hear, numbers, at_once);
  std::cout << "all have heard it\n";
  co_await here.map(leave, numbers, at_once);
  server.stop();
}

awaitable<void> program(int count) {
  crowd all;
  quarq::http::server server{{.port = 0, .max_connections = static_cast<std::size_t>(count)}};
  const auto join = [&all](websocket& one) { return all.join(one); };
  server.websocket("/crowd", join);
  const auto url = "ws://127.0.0.1:" + std::to_string(server.listen()) + "/crowd";
  co_await quarq::gather(server.run(), meet(server, all, url, count));
}

// Both ends of each connection are open files of this process.
int allowed(int wanted) {
  constexpr rlim_t others = 100;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const auto most = (files.rlim_cur - std::min(files.rlim_cur, others)) / 2;
  if (most >= static_cast<rlim_t>(wanted)) return wanted;
  std::cerr << "only " << files.rlim_cur << " open files are allowed here (ulimit -Hn): fewer WebSockets\n";
  return static_cast<int>(most);
}

int main(int argc, char** argv) {
  return quarq::main(program(allowed(argc > 1 ? std::atoi(argv[1]) : 10'000)));
}

// It prints:
//   <10000> WebSockets are open
//   all have heard it
