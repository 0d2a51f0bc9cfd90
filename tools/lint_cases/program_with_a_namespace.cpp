// See program.cpp: what opens a namespace of its name can't stand in another.
#include <boost/asio/awaitable.hpp>

namespace library {

boost::asio::awaitable<bool> ready();

boost::asio::awaitable<int> send() {
  while (co_await ready()) {  // flagged: condition of a while
  }
  co_return 1;
}

}  // namespace library

int main() {}
