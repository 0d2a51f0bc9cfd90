// The demo's worker: fetches a page and counts its words.
#include <sstream>

#include <quarq/http/client.hpp>
#include <quarq/worker.hpp>

#include "end_with_parent.hpp"
#include "tasks.hpp"

using namespace std::chrono_literals;
namespace http = quarq::http;

// A coroutine: while it waits for the page, the worker's loop runs other jobs.
quarq::awaitable<int> do_count_words(quarq::context& ctx, std::string url) {
  const auto page = co_await ctx.state<http::client>().get(url);
  if (!page.ok()) throw http::status_error("GET", url, page);
  std::istringstream words(page.body);
  int n = 0;
  for (std::string word; words >> word;) ++n;
  co_return n;
}

int main(int argc, char** argv) {
  end_with_parent();
  quarq::worker worker;
  worker.emplace<http::client>(http::client_options{.timeout = 60s});
  worker.handle(count_words, do_count_words, {.timeout = 60s});
  return worker.main(argc, argv);
}
