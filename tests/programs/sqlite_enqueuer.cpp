// Enqueues jobs into a file until it is killed, and prints each id once it is acknowledged:
// sqlite_enqueuer FILE PREFIX
#include <cstdio>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "broker/broker.hpp"

namespace {

using namespace quarq;

awaitable<void> enqueue_for_ever(std::shared_ptr<broker::broker> store, std::string prefix, int lane) {
  for (int round = 0;; ++round) {
    std::vector<broker::new_job> batch(1 + round % 7);
    std::string ids;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      batch[i].id = fmt::format("{}-{}-{}-{}", prefix, lane, round, i);
      batch[i].record = std::string(100 + (round % 10) * 1'000, 'r');
      ids += batch[i].id + "\n";
    }
    co_await store->enqueue("q", std::move(batch));
    if (write(STDOUT_FILENO, ids.data(), ids.size()) != static_cast<ssize_t>(ids.size())) _exit(1);
  }
}

void fail(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: sqlite_enqueuer FILE PREFIX\n");
    return 2;
  }
  boost::asio::io_context loop{1};
  auto store = broker::open("sqlite:" + std::string(argv[1]), loop.get_executor());
  for (int lane = 0; lane < 5; ++lane) {
    boost::asio::co_spawn(loop, enqueue_for_ever(store, argv[2], lane), fail);
  }
  loop.run();
}
