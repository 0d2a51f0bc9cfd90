#include "broker/redis_common/script_runner.hpp"

#include <utility>

namespace quarq::broker::redis_common {

awaitable<script_runner::reply> script_runner::run(const script& what, std::string queue, strings args) {
  return run_over(usual_, what, std::move(queue), std::move(args));
}

awaitable<script_runner::reply> script_runner::run_over(quarq::redis::connection& over, const script& what,
                                                        std::string queue, strings args) {
  strings keys(1, prefix_of_(queue));
  auto answer = co_await over.run(what, std::move(keys), std::move(args));
  co_return answer;
}

awaitable<script_runner::reply> script_runner::run_for(const script& what, const worker_lease& held,
                                                       strings args) {
  strings keys;
  keys.reserve(held.queues.size());
  for (const auto& queue : held.queues) keys.push_back(prefix_of_(queue));
  auto answer = co_await usual_.run(what, std::move(keys), std::move(args));
  co_return answer;
}

awaitable<script_runner::reply> script_runner::run_once(const script& what, std::string queue, strings args) {
  return run_once_over(usual_, what, std::move(queue), std::move(args));
}

awaitable<script_runner::reply> script_runner::run_once_over(quarq::redis::connection& over,
                                                             const script& what, std::string queue,
                                                             strings args) {
  strings keys(1, prefix_of_(queue));
  auto answer = co_await repeatable_.run(over, what, std::move(keys), std::move(args));
  co_return answer;
}

awaitable<script_runner::reply> script_runner::ask(const char* command, std::string queue,
                                                   std::string_view key) {
  strings words(1, command);
  words.push_back(prefix_of_(queue));
  words.back() += key;
  auto answer = co_await usual_.command(std::move(words));
  co_return answer;
}

}  // namespace quarq::broker::redis_common
