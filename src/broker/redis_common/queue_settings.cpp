#include "broker/redis_common/queue_settings.hpp"

#include <utility>

#include "broker/checks.hpp"

namespace quarq::broker::redis_common {

awaitable<bool> queue_settings::set_paused(std::string queue, bool paused) {
  std::vector<std::string> args(1, paused ? "1" : "0");
  return change(pause_, std::move(queue), std::move(args));
}

awaitable<bool> queue_settings::is_paused(std::string queue) {
  const auto reply = co_await calls_.ask("EXISTS", std::move(queue), "paused");
  co_return reply.integer == 1;
}

awaitable<bool> queue_settings::set_mark(std::string queue, std::string name, std::string text) {
  check_mark(name);
  std::vector<std::string> args;
  args.push_back(std::move(name));
  args.push_back(std::move(text));
  return change(set_mark_, std::move(queue), std::move(args));
}

awaitable<std::map<std::string, std::string>> queue_settings::marks(std::string queue) {
  const auto reply = co_await calls_.ask("HGETALL", std::move(queue), "marks");
  std::map<std::string, std::string> all;
  for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2)
    all.emplace(reply.items[i].text, reply.items[i + 1].text);
  co_return all;
}

awaitable<bool> queue_settings::change(const quarq::redis::script& by, std::string queue,
                                       std::vector<std::string> args) {
  co_await server_.remember_queue(queue);
  const auto reply = co_await calls_.run_once(by, std::move(queue), std::move(args));
  co_return reply.integer == 1;
}

}  // namespace quarq::broker::redis_common
