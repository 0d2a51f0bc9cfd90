// Many elements, a few at a time: how far a map has come, and what failed.
#include <iostream>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

// Stands for a download: page 7 does not exist.
quarq::awaitable<int> fetch(int page) {
  co_await quarq::sleep_for(1ms);
  if (page == 7) throw std::runtime_error("page 7: not found");
  co_return 100 * page;
}

quarq::awaitable<void> fetch_all() {
  const quarq::coroutines here;
  std::vector<int> pages(100);
  for (int i = 0; i < 100; ++i) pages[static_cast<std::size_t>(i)] = i;

  // map_outcomes goes on when an element fails. The callback is called each time one has ended.
  const auto report = [](const quarq::progress& p) {
    if (p.done % 25 == 0) std::cout << p.done << " of " << *p.total << ", " << p.failed << " failed\n";
  };
  auto outcomes = co_await here.map_outcomes(fetch, pages, {.max_concurrency = 10}, report);
  for (const auto& one : outcomes) {
    if (!one.ok()) std::cout << one.message() << "\n";
  }

  // map returns the values themselves; its first failure cancels the rest. On a terminal this draws a bar.
  pages.resize(7);
  const auto sizes = co_await here.map(fetch, pages, {.max_concurrency = 10}, quarq::terminal_bar("pages"));
  std::cout << sizes.size() << " pages, the last one of " << sizes.back() << " bytes\n";
}

int main() {
  return quarq::main(fetch_all());
}

// It prints:
//   25 of 100, 1 failed
//   50 of 100, 1 failed
//   75 of 100, 1 failed
//   100 of 100, 1 failed
//   page 7: not found
//   7 pages, the last one of 600 bytes
