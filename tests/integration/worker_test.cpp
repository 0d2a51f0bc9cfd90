#include "integration/worker_test.hpp"

namespace quarq::test {
namespace {

awaitable<void> then_stop(worker& w, awaitable<void> client) {
  co_await std::move(client);
  w.stop();
  w.stop();
}

}  // namespace

awaitable<void> alongside(worker& w, awaitable<void> client) {
  std::vector<awaitable<void>> both;
  both.push_back(w.run());
  both.push_back(then_stop(w, std::move(client)));
  co_await gather(std::move(both));
}

void worker_test::serve(worker& w, const body& client) {
  run_on_loop(alongside(w, client(queue(url()))));
}

}  // namespace quarq::test
