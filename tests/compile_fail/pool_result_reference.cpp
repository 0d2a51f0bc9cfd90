// expect: cannot bind non-const lvalue reference
// only: g++ before 12.3
//
// A function's reference is copied, since what it refers to may be another thread's: the copy can't be bound
// to a T&.
#include <string>

#include <quarq/thread_pool.hpp>

std::string& shared_text() {
  static std::string text;
  return text;
}

quarq::awaitable<void> compiles(quarq::thread_pool& threads) {
  const std::string text = co_await threads.run(shared_text);
  static_cast<void>(text);
}

#ifdef MUST_FAIL
quarq::awaitable<void> must_not(quarq::thread_pool& threads) {
  std::string& text = co_await threads.run(shared_text);
  static_cast<void>(text);
}
#endif
