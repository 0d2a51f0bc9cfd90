// expect: would destroy this temporary twice inside co_await: give it a name first
// only: g++ before 12.3
#include <string>
#include <vector>

#include <quarq/coroutines.hpp>

int twice(int n);

quarq::awaitable<void> compiles(std::string text, std::vector<int> numbers) {
  const quarq::coroutines here;
  const auto report = [text](const quarq::progress&) {};
  co_await here.map(twice, numbers, {.max_concurrency = 2}, report);
  co_await here.map(twice, std::move(numbers), {.max_concurrency = 2}, [](const quarq::progress&) {});
}

#ifdef MUST_FAIL
quarq::awaitable<void> must_not(std::string text, std::vector<int> numbers) {
  const quarq::coroutines here;
  co_await here.map(twice, numbers, {.max_concurrency = 2}, [text](const quarq::progress&) {});
}
#endif
