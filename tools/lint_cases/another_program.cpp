// See program.cpp.
#include <memory>

#include <boost/asio/awaitable.hpp>

using boost::asio::awaitable;

class letter {};

awaitable<void> ready(std::shared_ptr<letter>);

awaitable<void> send() {
  auto named = std::make_shared<letter>();
  co_await ready(named);
}

int main() {}
