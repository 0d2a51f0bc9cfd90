// expect: would destroy this temporary twice inside co_await: give it a name first
// only: g++ before 12.3
#include <functional>
#include <string>
#include <utility>

#include <quarq/awaitable.hpp>

template <class F>
quarq::awaitable<void> offload(F&& work) {
  QUARQ_REQUIRE_NAMED_ARGUMENT(F);
  return [](std::decay_t<F> held) -> quarq::awaitable<void> {
    held();
    co_return;
  }(std::forward<F>(work));
}

quarq::awaitable<void> compiles(std::string text) {
  auto named = [text] {};
  co_await offload(named);
  co_await offload([] {});
  co_await offload([&text] { text.clear(); });
  co_await offload(std::function<void()>(named));
}

#ifdef MUST_FAIL
quarq::awaitable<void> must_not(std::string text) {
  co_await offload([text] {});
}
#endif
