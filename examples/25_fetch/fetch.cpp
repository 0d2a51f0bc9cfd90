// Many pages, ten at a time: how far it has come, the size of each, and why some did not come.
#include <iostream>
#include <string>
#include <vector>

#include <quarq/http/client.hpp>
#include <quarq/quarq.hpp>

using namespace std::chrono_literals;
namespace http = quarq::http;

quarq::awaitable<void> fetch_all(std::vector<std::string> urls) {
  http::client_options options;
  options.retries.max_attempts = 3;  // of pages that are unavailable for a moment
  http::client web(options);

  auto fetch = [&](std::string url) -> quarq::awaitable<std::size_t> {
    const auto page = co_await web.get(url, {.timeout = 5s});
    if (!page.ok()) throw http::status_error("GET", url, page);
    co_return page.body.size();
  };

  const quarq::coroutines here;
  const auto pages =
      co_await here.map_outcomes(fetch, urls, {.max_concurrency = 10}, quarq::terminal_bar("pages"));
  for (std::size_t i = 0; i < pages.size(); ++i) {
    if (pages[i].ok())
      std::cout << urls[i] << ": " << pages[i].value() << " bytes\n";
    else
      std::cout << pages[i].message() << "\n";
  }
}

int main(int argc, char** argv) {
  return quarq::main(fetch_all({argv + 1, argv + argc}));
}
