// Producer here, consumers in processes of their own: a queue in shared memory, as Python's JoinableQueue.
#include <iostream>
#include <string>

#include <quarq/joinable_queue.hpp>
#include <quarq/process.hpp>

using lines = quarq::joinable_queue<std::string>;
using lengths = quarq::joinable_queue<std::size_t>;

// Runs in another process. The queues travel as arguments.
void measure(lines from, lengths to) {
  while (const auto line = from.pop()) {  // nullopt: closed and empty
    to.push(line->size());
    from.task_done();
  }
}

int main() {
  const lines todo({.capacity = 10});  // push() waits while ten lines wait
  const lengths measured;
  quarq::process one(measure, todo, measured), other(measure, todo, measured);

  for (int i = 1; i <= 99; ++i) todo.push("line " + std::to_string(i));
  todo.join();  // task_done() was called for every line
  todo.close();
  std::cout << "consumers ended with " << one.wait() << " and " << other.wait() << std::endl;

  measured.close();
  std::size_t count = 0, sum = 0;
  while (const auto length = measured.pop()) {
    ++count;
    sum += *length;
  }
  std::cout << count << " lines, " << sum << " characters" << std::endl;
}

// It prints:
//   consumers ended with 0 and 0
//   99 lines, 684 characters
