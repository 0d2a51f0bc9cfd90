// A job whose handler throws is tried again, after a pause that grows; in the end the client hears why it
// failed.
#include <iostream>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

constexpr quarq::task<std::string(std::string city)> weather{"weather", "city"};

std::string do_weather(quarq::context& ctx, std::string city) {
  std::cout << city << ": try " << ctx.attempt() << std::endl;
  // Trying again won't help here, and this says so.
  if (city == "Atlantis") throw quarq::permanent_failure("there is no city called Atlantis");
  if (city == "Hull") throw std::runtime_error("no answer from Hull");
  if (ctx.attempt() < 3) throw std::runtime_error("the line is busy");
  return "sunny";
}

quarq::awaitable<void> ask(quarq::queue queue, quarq::call<std::string> question) {
  auto job = co_await queue.enqueue(question);
  try {
    std::string answer = co_await job.result();
    std::cout << "  succeeded: " << answer << std::endl;
  } catch (const quarq::retries_exhausted& e) {  // derives from job_failed, so it stands first
    std::cout << "  gave up after " << e.attempts() << " tries: " << e.what() << std::endl;
  } catch (const quarq::job_failed& e) {
    std::cout << "  failed with " << e.type() << ": " << e.what() << std::endl;
  }
}

quarq::awaitable<void> client(quarq::worker& worker) {
  quarq::queue queue("sqlite::memory:");
  co_await ask(queue, weather("Oslo"));
  co_await ask(queue, weather("Hull").attempts(2));  // a call may differ from its handler's policy
  co_await ask(queue, weather("Atlantis"));
  worker.stop();
}

quarq::awaitable<void> both(quarq::worker& worker) {
  co_await quarq::gather(worker.run(), client(worker));
}

int main() {
  quarq::worker worker({.broker = "sqlite::memory:"});
  // 100 ms after the first failure, then 200 ms, 400 ms, ..., at most 5 s; five starts in all.
  worker.handle(weather, do_weather, {.retry = quarq::backoff::exponential(100ms, 5s).attempts(5)});
  quarq::run(both(worker));
}

// It prints:
//   Oslo: try 1
//   Oslo: try 2
//   Oslo: try 3
//     succeeded: sunny
//   Hull: try 1
//   Hull: try 2
//     gave up after 2 tries: no answer from Hull
//   Atlantis: try 1
//     failed with quarq::permanent_failure: there is no city called Atlantis
