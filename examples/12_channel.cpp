// A pipeline of coroutines: a channel passes values on, and slows the producer down when the consumers are
// behind.
#include <iostream>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

quarq::awaitable<void> read_lines(quarq::channel<std::string>& lines) {
  for (int i = 1; i <= 6; ++i) {
    auto line = "line " + std::to_string(i);
    co_await lines.async_push(std::move(line));  // waits while two lines lie in the channel
  }
  lines.close();  // what is in it can still be popped
}

quarq::awaitable<void> measure(quarq::channel<std::string>& lines, quarq::channel<std::size_t>& lengths) {
  while (true) {
    const auto line = co_await lines.async_pop();
    if (!line) break;  // closed and empty
    co_await quarq::sleep_for(1ms);
    co_await lengths.async_push(line->size());
  }
}

// Several coroutines may pop from one channel: each line goes to one of them.
quarq::awaitable<void> measure_all(quarq::channel<std::string>& lines, quarq::channel<std::size_t>& lengths) {
  co_await quarq::gather(measure(lines, lengths), measure(lines, lengths), measure(lines, lengths));
  lengths.close();
}

quarq::awaitable<void> add_up(quarq::channel<std::size_t>& lengths) {
  std::size_t count = 0, sum = 0;
  while (true) {
    const auto length = co_await lengths.async_pop();
    if (!length) break;
    ++count;
    sum += *length;
  }
  std::cout << count << " lines, " << sum << " characters" << std::endl;
}

quarq::awaitable<void> pipeline() {
  quarq::channel<std::string> lines(2);
  quarq::channel<std::size_t> lengths(2);
  co_await quarq::gather(read_lines(lines), measure_all(lines, lengths), add_up(lengths));

  // Limits and attempts are the same words on every queue.
  std::cout << std::boolalpha << "closed: " << lines.is_closed() << ", left: " << lines.try_pop().has_value()
            << std::endl;
}

int main() {
  return quarq::main(pipeline());
}

// It prints:
//   6 lines, 36 characters
//   closed: true, left: false
