// Four kinds of "too late": of the job, of its start, of the client's wait, and of any await.
#include <iostream>
#include <thread>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

constexpr quarq::task<void(std::chrono::milliseconds time)> doze{"doze", "time"};
constexpr quarq::task<int(std::chrono::milliseconds time)> work{"work", "time"};

// When a job is out of time, a coroutine's awaits are cancelled, and a function's stop_token is set.
quarq::awaitable<void> do_doze(std::chrono::milliseconds time) {
  co_await quarq::sleep_for(time);
}

int do_work(std::stop_token stop, std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  int steps = 0;
  for (; std::chrono::steady_clock::now() < end && !stop.stop_requested(); ++steps)
    std::this_thread::sleep_for(1ms);
  if (stop.stop_requested()) throw std::runtime_error("stopped halfway");
  return steps;
}

// A coroutine of our own, to show that the time of any await can be limited.
quarq::awaitable<std::string> dial() {
  co_await quarq::sleep_for(1h);
  co_return "hello?";
}

template <class R>
quarq::awaitable<void> show(std::string title, quarq::awaitable<R> waiting) {
  std::cout << title << ": ";
  try {
    co_await std::move(waiting);
    std::cout << "done" << std::endl;
  } catch (const quarq::timed_out& e) {
    std::cout << "timed out: " << e.what() << std::endl;
  } catch (const quarq::job_expired& e) {
    std::cout << e.what() << std::endl;
  }
}

quarq::awaitable<void> client(quarq::queue queue, quarq::job<void> late, quarq::worker& worker) {
  co_await show("expires", late.result());

  // A timeout counts as a failed attempt; with attempts(1) it is the end.
  auto job = co_await queue.enqueue(doze(1h).timeout(100ms).attempts(1));
  co_await show("timeout of a coroutine", job.result());
  auto other = co_await queue.enqueue(work(1h).timeout(100ms).attempts(1));
  co_await show("timeout of a function", other.result());

  // The client's own limit: the job goes on, and can be asked for again.
  auto slow = co_await queue.enqueue(doze(300ms).id("slow"));
  co_await show("short wait", slow.result(50ms));
  co_await show("longer wait", slow.result(10s));

  co_await show("any await", quarq::with_timeout(dial(), 50ms));
  worker.stop();
}

quarq::awaitable<void> all(quarq::worker& worker) {
  quarq::queue queue("sqlite::memory:");
  // News that nobody wants to hear tomorrow. There is no worker yet, and soon it is too late.
  auto late = co_await queue.enqueue(doze(1ms).expires(50ms));
  co_await quarq::sleep_for(100ms);
  co_await quarq::gather(worker.run(), client(queue, late, worker));
}

int main() {
  quarq::worker worker({.broker = "sqlite::memory:"});
  worker.handle(doze, do_doze, {.timeout = 10s}).handle(work, do_work, {.timeout = 10s});
  quarq::run(all(worker));
}

// It prints:
//   expires: doze expired: no worker started it in time
//   timeout of a coroutine: timed out: doze took longer than its timeout of 100 ms
//   timeout of a function: timed out: work took longer than its timeout of 100 ms
//   short wait: timed out: job slow has not ended within 50 ms
//   longer wait: done
//   any await: timed out: not done within 50ms
