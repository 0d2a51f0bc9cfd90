#include "integration/worker_lab.hpp"

namespace quarq::test {
namespace {

awaitable<void> then_stop(worker& w, awaitable<void> client) {
  co_await std::move(client);
  w.stop();
  w.stop();
}

}  // namespace

awaitable<void> beside(worker& w, awaitable<void> client) {
  std::vector<awaitable<void>> both;
  both.push_back(w.run());
  both.push_back(then_stop(w, std::move(client)));
  co_await gather(std::move(both));
}

void worker_lab::serve(worker& w, const body& client) {
  run_on_loop(beside(w, client(queue(url()))));
}

}  // namespace quarq::test
