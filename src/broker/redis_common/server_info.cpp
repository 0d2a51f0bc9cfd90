#include "broker/redis_common/server_info.hpp"

#include "broker/redis_common/server_checks.hpp"

namespace quarq::broker::redis_common {

awaitable<void> server_info::check() {
  if (checked_) co_return;
  auto info = co_await read_server_info(connection_);
  check_version(info);
  checked_ = true;
}

awaitable<std::string> server_info::summary() {
  auto text = co_await server_summary(connection_);
  co_return text;
}

awaitable<std::vector<std::string>> server_info::warnings() {
  co_await check();
  auto found = co_await server_warnings(connection_);
  co_return found;
}

awaitable<void> server_info::remember_queue(std::string queue) {
  if (known_.contains(queue)) co_return;
  // Looked up first: a server whose memory is full refuses to add it, but serves the queues it knows.
  std::vector<std::string> question = {"SISMEMBER", all_queues_, queue};
  auto is_there = co_await connection_.command(std::move(question));
  if (is_there.integer == 0) {
    std::vector<std::string> args = {"SADD", all_queues_, queue};
    co_await connection_.command(std::move(args));
  }
  known_.insert(queue);
}

awaitable<std::vector<std::string>> server_info::known_queues() {
  std::vector<std::string> args = {"SMEMBERS", all_queues_};
  auto reply = co_await connection_.command(std::move(args));
  std::vector<std::string> queues;
  for (auto& one : reply.items) queues.push_back(std::move(one.text));
  co_return queues;
}

}  // namespace quarq::broker::redis_common
