// The hosts of a quarq::http_machines: their connections, and what is known of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/http/client.hpp>
#include <quarq/rpc/http_machines.hpp>

#include "rpc/attempts.hpp"
#include "rpc/balancer.hpp"
#include "rpc/call_span.hpp"
#include "rpc/failure.hpp"

namespace quarq::rpc {

using steady = std::chrono::steady_clock;

/// One call, as it is sent.
struct outgoing_call {
  std::string task;
  std::string arguments;                           ///< a msgpack array
  std::optional<std::chrono::milliseconds> limit;  ///< for messages
  std::optional<steady::time_point> ends_at;
  bool idempotent = false;
  int max_attempts = 1;
  std::string key;  ///< the same for all its attempts
  trace_headers trace;
};

/// Where a call has come to.
struct call_route {
  int attempts = 0;      ///< that were sent
  std::size_t host = 0;  ///< of the last one
};

/// What came of one attempt.
struct attempt_end {
  std::string result;  ///< if there is no failure
  std::optional<failure> why;
  host_result shown = host_result::good;
  bool may_be_mended = false;  ///< by another attempt
};

/// Of an answer with a status, also of a proxy's.
attempt_end end_by_answer(http::response answer);
/// Of a request without a whole answer.
attempt_end end_by_error(const http::request_error& e);

/// Belongs to one loop.
class host_group {
 public:
  host_group(std::vector<std::string> hosts, const http_machines_options& options);

  int max_attempts() const noexcept { return max_attempts_; }
  /// Until it has a result, or another attempt would not help. Throws what the caller is to get.
  awaitable<std::string> run(const outgoing_call& call, call_route& route);
  const trace::broker_address& address_of(std::size_t host) const { return addresses_[host]; }

 private:
  awaitable<attempt_end> send(const outgoing_call& call, int attempt, std::size_t host);
  std::optional<std::chrono::milliseconds> time_for(const outgoing_call& call) const;
  bool is_slow_attempt(const outgoing_call& call, const failure& f) const;
  std::string all_are_out() const;

  std::vector<std::string> urls_;  ///< that the task's name is appended to
  std::vector<trace::broker_address> addresses_;
  http::client web_;
  std::string token_;
  const int max_attempts_;
  const std::optional<std::chrono::milliseconds> attempt_timeout_;
  std::mt19937_64 random_{std::random_device{}()};
  balancer balancer_;
  retry_throttle throttle_;
  std::string last_failure_;
};

}  // namespace quarq::rpc
