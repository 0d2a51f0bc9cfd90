// Uses the installed library: a worker and a client in one process. Says "consumer: ok" and ends with 0.
#include <cstdio>
#include <exception>
#include <string>

#include <quarq/quarq.hpp>

inline constexpr quarq::task<int(std::string text)> count_letters{"count_letters", "text"};

int do_count_letters(std::string text) {
  return static_cast<int>(text.size());
}

quarq::awaitable<int> ask(quarq::worker& worker) {
  quarq::queue queue("sqlite::memory:");
  auto call = count_letters("installed");
  const auto job = co_await queue.enqueue(std::move(call));
  const int letters = co_await job.result(std::chrono::seconds(30));
  worker.stop();
  co_return letters;
}

quarq::awaitable<int> both(quarq::worker& worker) {
  auto [letters, served] = co_await quarq::gather(ask(worker), worker.run());
  co_return letters;
}

// Without quarq::processes a handler can't be on level::process, which is said before the worker runs.
bool processes_are_refused() {
  quarq::worker worker;
  worker.handle(count_letters, do_count_letters, {.on = quarq::level::process});
  try {
    quarq::run(worker.run());
  } catch (const quarq::error& e) {
    return std::string(e.what()).find("quarq::processes") != std::string::npos;
  }
  return false;
}

int main() {
  try {
    if (!processes_are_refused()) {
      std::puts("consumer: a handler in a process was not refused");
      return 1;
    }
    quarq::worker_options options;
    options.broker = "sqlite::memory:";
    quarq::worker worker(options);
    worker.handle(count_letters, do_count_letters);
    if (quarq::run(both(worker)) != 9) {
      std::puts("consumer: a wrong result");
      return 1;
    }
  } catch (const std::exception& e) {
    std::printf("consumer: %s\n", e.what());
    return 1;
  }
  std::puts("consumer: ok");
}
