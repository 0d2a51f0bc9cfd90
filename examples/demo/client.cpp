// The demo's client: enqueues count_words for each URL it is given, and prints each result as it arrives.
#include <iostream>

#include <quarq/gather.hpp>
#include <quarq/queue.hpp>
#include <quarq/run.hpp>

#include "end_with_parent.hpp"
#include "tasks.hpp"

using namespace std::chrono_literals;

quarq::awaitable<void> count(quarq::queue queue, std::string url) {
  auto job = co_await queue.enqueue(count_words(url));
  std::cout << "enqueued count_words(\"" << url << "\"), job " << job.id() << std::endl;
  const int words = co_await job.result(60s);
  const auto info = co_await job.info();
  std::cout << url << " has " << words << " words (try " << info.attempts << ", worker " << info.worker << ")"
            << std::endl;
}

quarq::awaitable<void> count_all(std::string broker, std::string name, std::vector<std::string> urls) {
  quarq::queue queue(broker, name);
  std::vector<quarq::awaitable<void>> all;
  for (const auto& url : urls) all.push_back(count(queue, url));
  co_await quarq::gather(std::move(all));
}

int main(int argc, char** argv) {
  end_with_parent();
  if (argc < 4) {
    std::cerr << "usage: " << argv[0] << " BROKER QUEUE URL...\n";
    return 2;
  }
  try {
    quarq::run(count_all(argv[1], argv[2], {argv + 3, argv + argc}));
  } catch (const std::exception& e) {
    std::cerr << "failed: " << e.what() << std::endl;
    return 1;
  }
}
