// A hundred requests, of which no more than three may talk to the server at the same time.
#include <algorithm>
#include <iostream>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

struct server {
  quarq::semaphore connections{3};
  int open = 0, max_open = 0;
};

quarq::awaitable<void> request(server& to) {
  auto permit =
      co_await to.connections.acquire();  // first come, first served; released at the end of the scope
  to.max_open = std::max(to.max_open, ++to.open);
  co_await quarq::sleep_for(1ms);
  --to.open;
}

quarq::awaitable<void> many_requests() {
  server one;
  std::vector<quarq::awaitable<void>> all;
  for (int i = 0; i < 100; ++i) all.push_back(request(one));
  co_await quarq::gather(std::move(all));
  std::cout << "at most " << one.max_open << " connections were open" << std::endl;

  // A permit can also be tried for, and given back early.
  auto permit = one.connections.try_acquire();
  std::cout << one.connections.available() << " left";
  permit.release();
  std::cout << ", then " << one.connections.available() << std::endl;
}

int main() {
  return quarq::main(many_requests());
}

// It prints:
//   at most 3 connections were open
//   2 left, then 3
