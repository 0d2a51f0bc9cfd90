#include "clients/recent_stats.hpp"

#include <utility>

namespace quarq::clients {

awaitable<task_stats> recent_stats(std::shared_ptr<broker::broker> store, std::string queue,
                                   std::chrono::minutes last) {
  const auto end = std::chrono::ceil<std::chrono::minutes>(std::chrono::system_clock::now());
  const auto minutes = co_await store->stats(std::move(queue), end - last, end);
  task_stats sum;
  for (const auto& one : minutes) sum.add(one.counts);
  co_return sum;
}

}  // namespace quarq::clients
