// Rules D and E: what is made of the results of co_await within the same expression.
#include <string>
#include <tuple>
#include <utility>

#include <boost/asio/awaitable.hpp>

using boost::asio::awaitable;

struct page {
  std::string text;
  int status = 0;
};

awaitable<std::string> text();
awaitable<int> status();

awaitable<std::string> choose(bool now) {
  auto chosen = now ? co_await text() : std::string("later");  // flagged: co_await in ?:
  co_return chosen;
}

awaitable<void> initialise() {
  page p{co_await text(), co_await status()};  // flagged: aggregate's initialiser
  (void)p;
}

awaitable<page> give() {
  co_return page{co_await text(), 200};  // flagged: co_return of an aggregate
}

awaitable<page> good(bool now) {
  std::string body = "later";
  if (now) body = co_await text();
  const int code = now ? co_await status() : 0;
  auto pair = std::make_pair(co_await text(), code);
  (void)pair;
  co_return page{body, code};
}
