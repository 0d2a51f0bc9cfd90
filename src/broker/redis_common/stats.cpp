#include "broker/redis_common/stats.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "broker/stats_codec.hpp"

namespace quarq::broker::redis_common {

namespace {

constexpr std::chrono::minutes asked_for_together{60};

// Of stats.lua: adds what happened in the minutes from `first` on.
void read_minutes(const quarq::redis::reply& reply, task_minute::time_point first,
                  std::vector<task_minute>& into) {
  for (const auto& minute : reply.items) {
    for (std::size_t i = 0; i + 1 < minute.items.size(); i += 2)
      into.push_back({first, minute.items[i].text, decode_counts(minute.items[i + 1].text)});
    first += std::chrono::minutes(1);
  }
}

}  // namespace

std::vector<std::string> stats_args(const std::vector<task_counts>& what) {
  std::vector<std::string> args;
  for (const auto& one : what) {
    args.push_back(one.task);
    args.push_back(encode_counts(one.counts));
  }
  return args;
}

awaitable<std::vector<task_minute>> fetch_stats(script_runner& calls, quarq::redis::connection& over,
                                                const quarq::redis::script& stats, std::string queue,
                                                task_minute::time_point from, task_minute::time_point until) {
  std::vector<task_minute> found;
  while (from < until) {
    const auto some = std::min(std::chrono::minutes(until - from), asked_for_together);
    std::vector<std::string> args = {std::to_string(from.time_since_epoch().count()),
                                     std::to_string(some.count())};
    auto reply = co_await calls.run_over(over, stats, queue, std::move(args));
    read_minutes(reply, from, found);
    from += some;
  }
  merge_minutes(found);
  co_return found;
}

}  // namespace quarq::broker::redis_common
