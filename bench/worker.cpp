#include <csignal>

#include <sys/prctl.h>

#include <quarq/time.hpp>
#include <quarq/worker.hpp>

#include "rpc/tasks.hpp"
#include "tasks.hpp"

namespace quarq::bench {
namespace {

awaitable<std::int64_t> do_measure(std::string text) {
  co_return static_cast<std::int64_t>(text.size());
}
awaitable<void> do_forget(std::string) {
  co_return;
}
awaitable<void> do_hold(std::int64_t ms) {
  co_await sleep_for(std::chrono::milliseconds(ms));
}
std::int64_t do_on_thread(std::string text) {
  return static_cast<std::int64_t>(text.size());
}

}  // namespace

int worker_main(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  worker w;
  w.handle(measure, do_measure);
  w.handle(forget, do_forget);
  w.handle(hold, do_hold);
  w.handle(on_thread, do_on_thread);
  w.handle(word_size, do_measure);
  return w.main(argc, argv);
}

}  // namespace quarq::bench
