// The client: puts jobs into the queue and awaits their results. It needs the task, not the function.
#include <iostream>

#include <quarq/queue.hpp>
#include <quarq/run.hpp>

#include "tasks.hpp"

using namespace std::chrono_literals;

quarq::awaitable<void> client() {
  quarq::queue queue;  // sqlite:jobs.db in this folder, or whatever the variable QUARQ_BROKER says

  // Once enqueue has returned the job is stored, and will run even if this program ends here.
  auto job = co_await queue.enqueue(count_words("The quick brown fox jumps over the lazy dog"));
  int words = co_await job.result();  // typed, and pushed by the worker: nothing polls
  std::cout << "the fox: " << words << " words\n";

  auto later =
      co_await queue.enqueue(count_words("Good things come to those who wait").delay(200ms).priority(9));
  words = co_await later.result();
  std::cout << "a little later: " << words << " words\n";
}

int main() {
  return quarq::main(client());
}

// It prints:
//   the fox: 9 words
//   a little later: 7 words
