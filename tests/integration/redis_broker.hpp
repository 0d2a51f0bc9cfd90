// A private server for each test of the Redis broker, and its scripts called by hand.
#pragma once

#include <memory>
#include <string>

#include "broker/redis/scripts.hpp"
#include "integration/broker_conformance.hpp"
#include "redis/url.hpp"
#include "support/default_timeout.hpp"
#include "support/on_loop.hpp"
#include "support/redis_server.hpp"

namespace quarq::test::redis_broker_tests {

using broker::redis::scripts;

inline redis_server_options appendonly() {
  redis_server_options options;
  options.appendonly = true;
  return options;
}

inline awaitable<void> on_this_loop(awaitable<void> (*test)(redis_server&, any_io_executor),
                                    redis_server& server) {
  auto loop = co_await boost::asio::this_coro::executor;
  co_await test(server, loop);
}

inline void run(redis_server_options options, awaitable<void> (*test)(redis_server&, any_io_executor)) {
  redis_server server(options);
  run_on_loop(on_this_loop(test, server));
}

#define REDIS_TEST(name, options)                              \
  static awaitable<void> name(redis_server&, any_io_executor); \
  TEST(redis_broker, name) {                                   \
    run(options, name);                                        \
  }                                                            \
  static awaitable<void> name([[maybe_unused]] redis_server& server, [[maybe_unused]] any_io_executor loop)

inline std::shared_ptr<broker::broker> open(const redis_server& server, any_io_executor loop) {
  return broker::open(server.url() + "?" + timeout_parameter(), loop);
}

inline std::unique_ptr<redis::connection> connect(const redis_server& server, any_io_executor loop) {
  return std::make_unique<redis::connection>(loop, redis::parse_url(server.url()));
}

inline awaitable<redis::reply> call(redis::connection& connection, const redis::script& script,
                                    strings words) {
  strings keys(1, broker::redis::key_prefix("q"));
  auto reply = co_await connection.run(script, keys, words);
  co_return reply;
}

inline std::string all_lines(const strings& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

inline std::string terms_of(const new_job& job) {
  return broker::redis::pack_options(job);
}

inline const std::string somebody = "0123456789ABCDEFGHJKMNPQRS";  // a name as clients have it

}  // namespace quarq::test::redis_broker_tests
