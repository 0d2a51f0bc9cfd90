// expect: array used as initializer
// only: g++ before 12.3
//
// The compiler itself refuses a braced list inside an expression that awaits, in these words.
#include <string>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>

struct mails {
  std::vector<std::string> to;
};

quarq::awaitable<void> send(mails m);

quarq::awaitable<void> compiles(std::string to) {
  mails named{{"a@b", to}};
  co_await send(std::move(named));
}

#ifdef MUST_FAIL
quarq::awaitable<void> must_not(std::string to) {
  co_await send(mails{{"a@b", to}});
}
#endif
