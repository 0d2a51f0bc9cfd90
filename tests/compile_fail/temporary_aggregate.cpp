// expect: would destroy this temporary twice inside co_await: give it a name first
// only: g++ before 12.3
#include <string>
#include <string_view>
#include <utility>

#include <quarq/awaitable.hpp>

template <class T>
quarq::awaitable<void> take(T&& value) {
  QUARQ_REQUIRE_NAMED_ARGUMENT(T);
  return [](std::decay_t<T>) -> quarq::awaitable<void> { co_return; }(std::forward<T>(value));
}

struct mail {
  std::string to;
  int copies = 1;
};
struct small {
  std::string_view name;
  int number = 0;
};

quarq::awaitable<void> compiles() {
  mail named{"a@b"};
  co_await take(named);
  co_await take(std::as_const(named));
  co_await take(small{"nothing to destroy", 1});
  co_await take(std::string("has constructors"));
}

#ifdef MUST_FAIL
quarq::awaitable<void> must_not() {
  co_await take(mail{"a@b"});
}
#endif
