// Level 1 without a broker: run a task on one of several hosts that serve it over HTTP, and await its answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/call.hpp>
#include <quarq/codec.hpp>
#include <quarq/context.hpp>
#include <quarq/detail/call_data.hpp>
#include <quarq/detail/named_argument.hpp>
#include <quarq/http/client.hpp>
#include <quarq/map.hpp>
#include <quarq/rpc/errors.hpp>
#include <quarq/task.hpp>

namespace quarq {

struct http_machines_options {
  /// How long a call may take, all its attempts included: at least 1 ms. What is left of it goes along with each
  /// attempt. nullopt: no limit.
  std::optional<std::chrono::milliseconds> deadline = std::chrono::minutes(1);
  /// Calls may be executed more than once: those that got no answer are sent again. Without it only those are that
  /// no handler has begun.
  bool idempotent = false;
  /// How often one call may be sent, 1 to 5.
  int max_attempts = 4;
  /// How long one attempt of an idempotent call may take, before another host is asked. nullopt: as long as the call.
  std::optional<std::chrono::milliseconds> attempt_timeout = std::nullopt;
  /// "Authorization: Bearer ...", if it is not empty.
  std::string token = {};
  /// Proxies, certificates and headers. Its limits of connections are raised to what calls need.
  http::client_options web = {};
};

namespace rpc {
class host_group;
}

namespace detail {

/// What one user of the hosts wants of its calls.
struct rpc_terms {
  std::optional<std::chrono::milliseconds> deadline;
  bool idempotent = false;
  std::optional<std::chrono::steady_clock::time_point> ends_by;  ///< of the handler that calls
  std::string traceparent, tracestate;
};

/// Throws usage_error for URLs and options that can't be used.
std::shared_ptr<rpc::host_group> make_host_group(std::vector<std::string> hosts,
                                                 const http_machines_options& options);
awaitable<std::string> run_on_hosts(std::shared_ptr<rpc::host_group> hosts, call_data call, rpc_terms terms);
void limit_by(rpc_terms& terms, const context& caller);
void check_rpc_deadline(std::optional<std::chrono::milliseconds> deadline);

}  // namespace detail

/// Hosts that serve tasks by quarq::rpc::server, as a place to run them:
///
///     quarq::http_machines hosts({"http://10.0.0.7:8080", "http://10.0.0.8:8080"});
///     const int n = co_await hosts.run(count_words, text);
///
/// Each call goes to the host with the fewest calls under way. A host that can't be reached, or fails several times in
/// a row, gets nothing for a while, and then one call to see whether it is back. A call that failed is sent again,
/// where that is safe, as long as not too many fail (docs/rpc.md).
///
/// A job survives what a call does not: there is nothing that keeps a call when its caller is gone. When the result
/// matters more than the wait, use a queue.
///
/// Cheap to copy; copies share connections and what is known of the hosts. Belongs to one loop. Not thread-safe.
class http_machines : public detail::maps<http_machines> {
 public:
  /// `hosts`: "http://host:port", or https, with a path that comes before "/rpc/", if there is one. Throws usage_error
  /// for others, for none, and for options out of their ranges.
  explicit http_machines(std::vector<std::string> hosts, const http_machines_options& options = {})
      : hosts_(detail::make_host_group(std::move(hosts), options)),
        terms_{options.deadline, options.idempotent, std::nullopt, {}, {}} {}

  /// Has a host run the task with these arguments, which must convert to its parameters.
  ///
  /// Throws rpc::call_error, a call_failed, with what the handler threw, or code::unavailable if no host has answered;
  /// timed_out past the deadline, or past a shorter limit of the handler or the call; worker_lost if the handler's
  /// process died of it; cancelled if the host has cancelled it. When the caller is cancelled, its connection is
  /// closed, which cancels the handler.
  template <class R, class... Args, class... Given>
  [[QUARQ_MUST_AWAIT]] auto run(const task<R(Args...)>& what, Given&&... given) const {
    QUARQ_REQUIRE_NAMED_ARGUMENTS(Given);
    return run(what(std::forward<Given>(given)...));
  }

  /// The same for a call with a timeout or attempts of its own: `run(count_words(text).attempts(3))`. One with more
  /// than one attempt is idempotent. What only a queue can do (id, delay, priority...) is refused with usage_error.
  template <class R>
  [[QUARQ_MUST_AWAIT]] awaitable<R> run(call<R> c) const {
    std::string name = "result of " + c.task();
    return typed<R>(detail::run_on_hosts(hosts_, detail::call_access::take(std::move(c)), terms_),
                    std::move(name));
  }

  /// The same hosts with another deadline for each call; nullopt: no deadline.
  http_machines with_deadline(std::optional<std::chrono::milliseconds> deadline) const {
    detail::check_rpc_deadline(deadline);
    auto other = *this;
    other.terms_.deadline = deadline;
    return other;
  }
  /// The same hosts for calls that may be executed more than once.
  http_machines idempotent() const {
    auto other = *this;
    other.terms_.idempotent = true;
    return other;
  }
  /// For a handler's calls: none lasts longer than its own (context::deadline), and all belong to its trace. Throws
  /// timed_out if the deadline has passed.
  http_machines within(const context& caller) const {
    auto other = *this;
    detail::limit_by(other.terms_, caller);
    return other;
  }

  /// The max_concurrency of a map that sets none.
  std::size_t default_max_concurrency() const noexcept { return 100; }

 private:
  template <class R>
  static awaitable<R> typed(awaitable<std::string> raw, std::string what) {
    const std::string encoded = co_await std::move(raw);
    if constexpr (!std::is_void_v<R>) co_return from_msgpack<R>(encoded, what);
  }

  std::shared_ptr<rpc::host_group> hosts_;
  detail::rpc_terms terms_;
};

}  // namespace quarq
