// Any job can be cancelled, from any process that knows its id: before it starts, and while it runs.
#include <atomic>
#include <iostream>
#include <thread>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

constexpr quarq::task<void()> wait_on_loop{"wait_on_loop"};
constexpr quarq::task<void()> spin_on_thread{"spin_on_thread"};

// A job is running as soon as a worker has claimed it, even while it waits for a thread. These have begun.
std::atomic<int> begun = 0;

// What a coroutine awaits is cancelled: the await throws, and locals are destroyed on the way out.
quarq::awaitable<void> do_wait() {
  struct goodbye {
    ~goodbye() { std::cout << "  the coroutine cleans up and ends" << std::endl; }
  } on_the_way_out;
  ++begun;
  co_await quarq::sleep_for(1h);
}

// A plain function can't be interrupted: one that may take long asks its stop_token now and then. It throws,
// since to return would say that the work is done.
void do_spin(std::stop_token stop) {
  ++begun;
  while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
  std::cout << "  the function was asked to stop and ends" << std::endl;
  throw std::runtime_error("stopped halfway");
}

quarq::awaitable<std::string> wait_for(quarq::job<void> job) {
  try {
    co_await job.result();
    co_return "succeeded";
  } catch (const quarq::cancelled&) {
    co_return "quarq::cancelled";
  }
}

// Has no more than the id, as another process would.
quarq::awaitable<std::string> cancel(quarq::queue queue, std::string id, quarq::job_state when, int begins) {
  auto job = queue.find<void>(id);
  auto state = co_await job.state();
  while (state != when || begun < begins) {
    co_await quarq::sleep_for(5ms);
    state = co_await job.state();
  }
  auto outcome = co_await job.cancel();
  if (outcome == quarq::cancel_outcome::cancelled) co_return "cancelled, it will never run";
  if (outcome == quarq::cancel_outcome::requested) co_return "requested, its worker stops it";
  co_return "there was nothing to cancel";
}

quarq::awaitable<void> show(quarq::queue queue, quarq::call<void> what, quarq::job_state when, int begins) {
  std::cout << what.task() << ", " << to_string(when) << std::endl;
  auto job = co_await queue.enqueue(what);
  auto [seen, outcome] = co_await quarq::gather(wait_for(job), cancel(queue, job.id(), when, begins));
  std::cout << "  who cancels it is told: " << outcome << "\n  who waits for it gets: " << seen << std::endl;
}

quarq::awaitable<void> client(quarq::worker& worker) {
  quarq::queue queue("sqlite::memory:");
  co_await show(queue, wait_on_loop().delay(1h), quarq::job_state::deferred, 0);
  co_await show(queue, wait_on_loop(), quarq::job_state::running, 1);
  co_await show(queue, spin_on_thread(), quarq::job_state::running, 2);
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
//   wait_on_loop, deferred
//     who cancels it is told: cancelled, it will never run
//     who waits for it gets: quarq::cancelled
//   wait_on_loop, running
//     the coroutine cleans up and ends
//     who cancels it is told: requested, its worker stops it
//     who waits for it gets: quarq::cancelled
//   spin_on_thread, running
//     the function was asked to stop and ends
//     who cancels it is told: requested, its worker stops it
//     who waits for it gets: quarq::cancelled
