// One function in a process of its own: code that may crash, hang or leak can't harm the rest of the program.
#include <cstdlib>
#include <iostream>
#include <thread>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

int count_words(std::string text) {
  int words = 0;
  bool inside = false;
  for (const char c : text) {
    if (c != ' ' && !inside) ++words;
    inside = c != ' ';
  }
  return words;
}

void crash() {
  std::abort();
}

void hang() {
  while (true) std::this_thread::sleep_for(1h);
}

quarq::awaitable<void> supervise() {
  // The arguments are encoded and sent; what the function returns is the exit code.
  quarq::process counter(count_words, "to be or not to be");
  int code = co_await counter.join();
  std::cout << "counted: " << code << std::endl;

  quarq::process crashing(crash);
  code = co_await crashing.join();
  std::cout << "crashed: signal " << -code << ", and we are still here" << std::endl;

  quarq::process hanging(hang);
  try {
    co_await quarq::with_timeout(hanging.join(), 50ms);
  } catch (const quarq::timed_out&) {
    hanging.kill();
  }
  code = co_await hanging.join();
  std::cout << "hung: " << code << " after kill()" << std::endl;
}

int main() {
  return quarq::main(supervise());
}

// It prints:
//   counted: 6
//   crashed: signal 6, and we are still here
//   hung: -9 after kill()
