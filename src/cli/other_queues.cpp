#include "cli/other_queues.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace quarq::cli {

awaitable<std::vector<std::string>> other_queues_with(broker_ptr broker, std::string queue, std::string id) {
  std::vector<std::string> with_it;
  const auto all = co_await broker->queues();
  for (const auto& other : all) {
    if (other.name == queue) continue;
    const auto details = co_await broker->inspect(other.name, id);
    if (details) with_it.push_back(other.name);
  }
  co_return with_it;
}

std::string named(const std::vector<std::string>& queues) {
  return fmt::format("{} {}", queues.size() == 1 ? "queue" : "queues", fmt::join(queues, ", "));
}

}  // namespace quarq::cli
