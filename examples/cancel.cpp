// Any job can be cancelled, from any process that knows its id: before it starts, and while it runs.
#include <iostream>
#include <thread>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

constexpr quarq::task<void()> wait_on_loop{"wait_on_loop"};
constexpr quarq::task<void()> spin_on_thread{"spin_on_thread"};

// What a coroutine awaits is cancelled: the await throws, and locals are destroyed on the way out.
quarq::awaitable<void> do_wait() {
  struct goodbye {
    ~goodbye() { std::cout << "  the coroutine cleans up and ends" << std::endl; }
  } on_the_way_out;
  co_await quarq::sleep_for(1h);
}

// A plain function can't be interrupted: one that may take long asks its stop_token now and then.
void do_spin(std::stop_token stop) {
  while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
  std::cout << "  the function was asked to stop and ends" << std::endl;
}

const char* text(quarq::cancel_outcome outcome) {
  if (outcome == quarq::cancel_outcome::cancelled) return "cancelled, it will never run";
  if (outcome == quarq::cancel_outcome::requested) return "requested, its worker stops it";
  return "there was nothing to cancel";
}

quarq::awaitable<void> cancel(quarq::queue queue, quarq::call<void> what, bool let_it_start) {
  std::cout << what.task() << std::endl;
  auto job = co_await queue.enqueue(what);
  auto state = co_await job.status();
  while (let_it_start && state != quarq::job_state::running) {
    co_await quarq::sleep_for(5ms);
    state = co_await job.status();
  }
  auto same_job = queue.find<void>(job.id());  // as another process would
  auto outcome = co_await same_job.cancel();
  std::cout << "  " << to_string(state) << ": " << text(outcome) << std::endl;
  try {
    co_await job.result();
  } catch (const quarq::cancelled& e) {
    std::cout << "  the client sees quarq::cancelled" << std::endl;
  }
}

quarq::awaitable<void> client(quarq::worker& worker) {
  quarq::queue queue("sqlite::memory:");
  co_await cancel(queue, wait_on_loop().delay(1h), false);
  co_await cancel(queue, wait_on_loop(), true);
  co_await cancel(queue, spin_on_thread(), true);
  worker.stop();
}

quarq::awaitable<void> both(quarq::worker& worker) {
  co_await quarq::gather(worker.run(), client(worker));
}

int main() {
  quarq::worker worker({.broker = "sqlite::memory:"});
  worker.handle(wait_on_loop, do_wait).handle(spin_on_thread, do_spin);
  quarq::run(both(worker));
}

// It prints:
//   wait_on_loop
//     deferred: cancelled, it will never run
//     the client sees quarq::cancelled
//   wait_on_loop
//     running: requested, its worker stops it
//     the coroutine cleans up and ends
//     the client sees quarq::cancelled
//   spin_on_thread
//     running: requested, its worker stops it
//     the function was asked to stop and ends
//     the client sees quarq::cancelled
