// Programs are read several at a time, each in a namespace of its own: this one and another_program.cpp give the same
// names to different things.
#include <string>

#include <boost/asio/awaitable.hpp>

using boost::asio::awaitable;

struct letter {
  std::string text;
};

awaitable<bool> ready(letter);

awaitable<int> send() {
  const letter named{"x"};
  if (co_await ready(named)) co_return 1;             // flagged: condition of an if
  const bool is_ready = co_await ready(letter{"x"});  // flagged: aggregate or braced list
  co_return is_ready;
}

int main() {}
