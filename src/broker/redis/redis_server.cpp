#include "broker/redis/redis_server.hpp"

#include "broker/redis/redis_server_checks.hpp"

namespace quarq::broker::redis {

awaitable<void> redis_server::check() {
  if (checked_) co_return;
  auto info = co_await server_info(connection_);
  check_version(info);
  checked_ = true;
}

awaitable<std::string> redis_server::summary() {
  auto text = co_await server_summary(connection_);
  co_return text;
}

awaitable<std::vector<std::string>> redis_server::warnings() {
  co_await check();
  auto found = co_await server_warnings(connection_);
  co_return found;
}

awaitable<void> redis_server::note_queue(std::string queue) {
  if (noted_.contains(queue)) co_return;
  std::vector<std::string> words = {"SADD", all_queues_, queue};
  co_await connection_.command(std::move(words));
  noted_.insert(queue);
}

awaitable<std::vector<std::string>> redis_server::noted_queues() {
  std::vector<std::string> words = {"SMEMBERS", all_queues_};
  auto reply = co_await connection_.command(std::move(words));
  std::vector<std::string> queues;
  for (auto& one : reply.items) queues.push_back(std::move(one.text));
  co_return queues;
}

}  // namespace quarq::broker::redis
