// Calls the server beside it: `example-rpc-client http://127.0.0.1:8080 ...`, with as many hosts as there are.
#include <iostream>
#include <string>
#include <vector>

#include <quarq/rpc/http_machines.hpp>
#include <quarq/run.hpp>

#include "../01_hello/tasks.hpp"

using namespace std::chrono_literals;

quarq::awaitable<void> client(std::vector<std::string> urls) {
  // Counting twice does no harm: a call that got no answer may be sent again.
  const auto hosts = quarq::http_machines(std::move(urls)).with_deadline(10s).idempotent();

  const int words = co_await hosts.run(count_words, "The quick brown fox jumps over the lazy dog");
  std::cout << "the fox: " << words << " words\n";

  const std::vector<std::string> texts{"one", "one two", "one two three"};
  const auto all = co_await hosts.map(count_words, texts);
  for (const int n : all) std::cout << n << " ";
  std::cout << "\n";
}

int main(int argc, char** argv) {
  std::vector<std::string> urls(argv + 1, argv + argc);
  if (urls.empty()) urls.emplace_back("http://127.0.0.1:8080");
  return quarq::main(client(std::move(urls)));
}

// It prints:
//   the fox: 9 words
//   1 2 3
