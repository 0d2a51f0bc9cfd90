// Work that finds more work while it runs: a task group starts coroutines one by one, and ends when all have
// ended.
#include <iostream>
#include <map>
#include <set>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

// A small web: which page links to which.
const std::map<std::string, std::vector<std::string>> web = {
    {"/", {"/docs", "/blog"}}, {"/docs", {"/", "/docs/levels"}}, {"/docs/levels", {}}, {"/blog", {"/lost"}}};

// Visits a page and spawns a visit for each link that nobody has followed yet. Everything runs on one loop,
// so the shared set needs no lock.
quarq::awaitable<void> visit(quarq::task_group& group, std::set<std::string>& seen, std::string page) {
  co_await quarq::sleep_for(1ms);  // stands for the download
  const auto found = web.find(page);
  if (found == web.end()) throw std::runtime_error("no such page: " + page);
  for (const auto& link : found->second) {
    if (seen.insert(link).second) group.spawn(visit(group, seen, link));
  }
}

quarq::awaitable<void> crawl(std::string start) {
  std::set<std::string> seen = {start};
  auto body = [&](quarq::task_group& group) { return visit(group, seen, start); };
  try {
    // Nothing that was spawned outlives this await. The first exception cancels the rest, and is thrown here.
    co_await quarq::with_task_group(body);
    std::cout << start << ": " << seen.size() << " pages, all of them there" << std::endl;
  } catch (const std::runtime_error& e) {
    std::cout << start << ": " << e.what() << std::endl;
  }
}

int main() {
  quarq::run(crawl("/docs/levels"));
  quarq::run(crawl("/"));
}

// It prints:
//   /docs/levels: 1 pages, all of them there
//   /: no such page: /lost
