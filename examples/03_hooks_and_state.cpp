// What handlers share: state of the worker and of one job, made by hooks that run around the jobs.
#include <atomic>
#include <iostream>

#include <quarq/quarq.hpp>

using namespace std::chrono_literals;

constexpr quarq::task<std::string(std::string name)> greet{"greet", "name"};
constexpr quarq::task<void()> reset{"reset"};

// The worker's state is seen by all jobs at once, also from threads: what changes in it is atomic or locked.
struct guest_book {
  std::atomic<int> guests = 0;
};

// A job's own state belongs to that job alone.
struct visit {
  std::string label;
};

// A coroutine: it runs on the worker's loop, next to the other jobs, and may await.
quarq::awaitable<std::string> do_greet(quarq::context& ctx, std::string name) {
  co_await quarq::sleep_for(10ms);
  const int number = ++ctx.state<guest_book>().guests;
  co_return "Hello " + name + ", guest " + std::to_string(number) + ", on " + ctx.state<visit>().label;
}

void do_reset(quarq::context& ctx) {
  ctx.state<guest_book>().guests = 0;
}

quarq::awaitable<void> open_book(quarq::context& worker) {
  worker.emplace<guest_book>();
  std::cout << "on_startup: the book is open" << std::endl;
  co_return;
}

quarq::awaitable<void> close_book(quarq::context& worker) {
  std::cout << "on_shutdown: " << worker.state<guest_book>().guests << " guests" << std::endl;
  co_return;
}

// An exception in a hook fails this job and nothing else.
quarq::awaitable<void> before(quarq::context& ctx) {
  if (ctx.task() == "reset") throw quarq::permanent_failure("the book is not to be reset");
  ctx.emplace<visit>().label = "try " + std::to_string(ctx.attempt());
  co_return;
}

quarq::awaitable<void> after(quarq::context& ctx, const quarq::job_end& end) {
  std::cout << "after_job: " << ctx.task() << ctx.arguments_json() << " " << to_string(end.state)
            << std::endl;
  co_return;
}

quarq::awaitable<void> client(quarq::worker& worker) {
  quarq::queue queue("sqlite::memory:");
  for (const char* name : {"Ada", "Grace"}) {
    auto job = co_await queue.enqueue(greet(name));
    std::string greeting = co_await job.result();
    std::cout << greeting << std::endl;
  }
  auto job = co_await queue.enqueue(reset());
  try {
    co_await job.result();
  } catch (const quarq::job_failed& e) {
    std::cout << "refused: " << e.what() << std::endl;
  }
  worker.stop();
}

quarq::awaitable<void> both(quarq::worker& worker) {
  co_await quarq::gather(worker.run(), client(worker));
}

int main() {
  quarq::worker worker({.broker = "sqlite::memory:"});
  worker.on_startup(open_book).on_shutdown(close_book).before_job(before).after_job(after);
  worker.handle(greet, do_greet).handle(reset, do_reset);
  quarq::run(both(worker));
}

// It prints:
//   on_startup: the book is open
//   after_job: greet["Ada"] succeeded
//   Hello Ada, guest 1, on try 1
//   after_job: greet["Grace"] succeeded
//   Hello Grace, guest 2, on try 1
//   after_job: reset[] failed
//   refused: the book is not to be reset
//   on_shutdown: 2 guests
