// The demo's worker: fetches a page and counts its words.
#include <sstream>

#include <quarq/worker.hpp>

#include "end_with_parent.hpp"
#include "fetch.hpp"
#include "tasks.hpp"

using namespace std::chrono_literals;

// A coroutine: while it waits for the page, the worker's loop runs other jobs.
quarq::awaitable<int> do_count_words(std::string url) {
  const std::string page = co_await fetch(url);
  std::istringstream words(page);
  int n = 0;
  for (std::string word; words >> word;) ++n;
  co_return n;
}

int main(int argc, char** argv) {
  end_with_parent();
  quarq::worker worker;
  worker.handle(count_words, do_count_words, {.timeout = 60s});
  return worker.main(argc, argv);
}
