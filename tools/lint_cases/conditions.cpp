// Rule A: co_await in a condition. A line is to be flagged exactly if it says "flagged:" with part of the
// message.
#include <vector>

#include <boost/asio/awaitable.hpp>

using boost::asio::awaitable;

awaitable<bool> ready();
awaitable<int> count();
awaitable<std::vector<int>> numbers();

awaitable<int> in_if() {
  if (!co_await ready()) co_return 1;  // flagged: condition of an if
  co_return 2;
}

awaitable<int> in_else_if(bool first) {
  if (first) {
    co_return 1;
  } else if (first || co_await ready()) {  // flagged: condition of an if
    co_return 2;
  }
  co_return 3;
}

awaitable<void> in_while() {
  while (co_await ready()) {  // flagged: condition of a while
  }
}

awaitable<void> in_do_while() {
  do {  // flagged: condition of a do-while
  } while (co_await ready());  // flagged: condition of a do-while
}

awaitable<void> in_for() {
  for (int i = 0; i < co_await count(); ++i) {  // flagged: condition of a for
  }
}

awaitable<int> in_switch() {
  switch (co_await count()) {  // flagged: condition of a switch
    case 1:
      co_return 1;
    default:
      co_return 2;
  }
}

// clang-query does not look into templates that nobody uses here; the textual check does.
template <class Operation>
awaitable<int> in_template(Operation operation) {
  if (co_await operation()) co_return 1;  // flagged: condition of an if
  co_return 2;
}

awaitable<int> safe() {
  const bool ok = co_await ready();
  if (!ok) co_return 1;
  while (true) {
    const bool more = co_await ready();
    if (!more) break;
  }
  int sum = 0;
  const auto all = co_await numbers();
  for (int number : all) sum += number;
  // Words in comments and strings are not code: if (co_await ready())
  const char* text = "while (co_await ready())";
  co_return text ? sum : 0;
}
