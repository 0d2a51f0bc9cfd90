// The worker: claims jobs from the queue and runs them. Start as many as you like.
#include <sstream>

#include <quarq/worker.hpp>

#include "tasks.hpp"

using namespace std::chrono_literals;

// A plain function runs on a pool of threads, so it may take its time. A coroutine would run on the worker's
// loop.
int do_count_words(std::string text) {
  std::istringstream words(text);
  int n = 0;
  for (std::string word; words >> word;) ++n;
  return n;
}

int main(int argc, char** argv) {
  quarq::worker worker;
  worker.handle(count_words, do_count_words,
                {.timeout = 30s, .retry = quarq::backoff::exponential(1s, 5min).attempts(8)});
  return worker.main(argc, argv);  // --broker URL, --queue NAME, --concurrency N, ...: --help shows them all
}
