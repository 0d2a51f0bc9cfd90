// expect: quarq: a function for another process must be a function or a lambda without captures
#include <string>

#include <quarq/process_pool.hpp>

quarq::awaitable<void> compiles(const quarq::process_pool& pool, std::string text) {
  const auto size = [](std::string of) { return of.size(); };
  co_await pool.run(size, text);
}

#ifdef MUST_FAIL
quarq::awaitable<void> must_not(const quarq::process_pool& pool, std::string text) {
  const auto size = [text] { return text.size(); };
  co_await pool.run(size);
}
#endif
