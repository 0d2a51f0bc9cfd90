// A private server for each test of the arq broker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "broker/arq/payload/payloads.hpp"
#include "integration/arq_python.hpp"
#include "integration/broker_conformance.hpp"
#include "support/default_timeout.hpp"
#include "support/on_loop.hpp"

namespace quarq::test::arq_broker_tests {

using broker::arq::arq_codec;
using broker::arq::arq_payloads;

inline awaitable<void> on_this_loop(awaitable<void> (*test)(redis_server&, any_io_executor),
                                    redis_server& server) {
  auto loop = co_await boost::asio::this_coro::executor;
  co_await test(server, loop);
}

inline void run_with_server(redis_server_options options,
                            awaitable<void> (*test)(redis_server&, any_io_executor)) {
  redis_server server(options);
  run_on_loop(on_this_loop(test, server));
}

inline std::shared_ptr<broker::broker> open_arq(const redis_server& server, any_io_executor loop,
                                                std::string_view parameters = "") {
  const auto separator = parameters.empty() ? "?" : "&";
  return broker::open(arq_url(server, parameters) + separator + timeout_parameter(), loop);
}

#define ARQ_TEST(name, options)                                \
  static awaitable<void> name(redis_server&, any_io_executor); \
  TEST(arq_broker, name) {                                     \
    run_with_server(options, name);                            \
  }                                                            \
  static awaitable<void> name([[maybe_unused]] redis_server& server, [[maybe_unused]] any_io_executor loop)

inline broker::arq::arq_end_in read_end(const redis_server& server, const std::string& id) {
  return arq_payloads(arq_codec::pickle).read_end(ask(server, {"GET", "arq:result:" + id}).text);
}

#define EXPECT_WITHIN(value, min, max) \
  do {                                 \
    const auto v = (value);            \
    EXPECT_GE(v, (min));               \
    EXPECT_LE(v, (max));               \
  } while (false)

inline constexpr std::int64_t day = 86'400'000, hour = 3'600'000;
inline constexpr std::int64_t leeway = 5'000;  // ms that a slow machine may take

inline redis_server_options on_disk() {
  redis_server_options options;
  options.appendonly = true;
  return options;
}

}  // namespace quarq::test::arq_broker_tests
