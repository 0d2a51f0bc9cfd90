// A worker whose log is looked at: tests/integration/arq_worker_log.cpp. Its command line is that of every
// worker; with QUARQ_TEST_CRON in the environment it has a cron job.
#include <cstdlib>
#include <stdexcept>

#include <quarq/quarq.hpp>

#include "programs/die_with_parent.hpp"
#include "programs/log_tasks.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;

awaitable<int> do_the_task(int, std::string, bool) {
  co_return 42;
}

awaitable<std::string> do_echo(std::string text) {
  co_return text;
}

awaitable<void> do_fail(std::string message) {
  throw std::invalid_argument(message);
  co_return;
}

awaitable<int> do_come_again(context& ctx) {
  if (ctx.attempt() < 3) throw retry_after(500ms / ctx.attempt());
  co_return ctx.attempt();
}

awaitable<int> do_stumble(context& ctx) {
  if (ctx.attempt() == 1) throw std::runtime_error("not yet");
  co_return ctx.attempt();
}

awaitable<void> do_wait() {
  co_await sleep_for(1h);
}

awaitable<void> do_tick() {
  co_return;
}

}  // namespace
}  // namespace quarq::test

int main(int argc, char** argv) {
  using namespace quarq::test;
  die_with_parent();
  quarq::worker worker;
  if (std::getenv("QUARQ_TEST_CRON") != nullptr)
    worker.cron("tick", do_tick, {.crontab = "0 0 1 1 *", .run_at_startup = true});
  worker.handle(the_task, do_the_task);
  worker.handle(echo, do_echo);
  worker.handle(fail, do_fail, {.retry = quarq::retry_policy().attempts(1)});
  worker.handle(come_again, do_come_again);
  worker.handle(stumble, do_stumble, {.retry = quarq::backoff::constant(20ms)});
  worker.handle(wait_long, do_wait);
  return worker.main(argc, argv);
}
