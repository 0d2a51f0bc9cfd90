#include "broker/redis_common/server_info.hpp"

#include <iterator>

#include "broker/redis_common/replies.hpp"
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
  std::vector<std::string> one(1, std::move(queue));
  co_await remember_queues(std::move(one));
}

awaitable<void> server_info::remember_queues(std::vector<std::string> queues) {
  std::erase_if(queues, [this](const auto& queue) { return known_.contains(queue); });
  if (queues.empty()) co_return;
  // Looked up first: a server whose memory is full refuses to add one, but serves the queues it knows.
  std::vector<std::string> question = {"SMISMEMBER", all_queues_}, args = {"SADD", all_queues_};
  question.insert(question.end(), queues.begin(), queues.end());
  auto are_there = co_await connection_.command(std::move(question));
  for (std::size_t i = 0; i < queues.size(); ++i) {
    if (item(are_there, i).integer == 0) args.push_back(queues[i]);
  }
  if (args.size() > 2) co_await connection_.command(std::move(args));
  known_.insert(std::make_move_iterator(queues.begin()), std::make_move_iterator(queues.end()));
}

awaitable<std::vector<std::string>> server_info::known_queues() {
  std::vector<std::string> args = {"SMEMBERS", all_queues_};
  auto reply = co_await connection_.command(std::move(args));
  std::vector<std::string> queues;
  for (auto& one : reply.items) queues.push_back(std::move(one.text));
  co_return queues;
}

}  // namespace quarq::broker::redis_common
