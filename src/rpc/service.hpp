// Serves the calls of one set of handlers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include <quarq/awaitable.hpp>
#include <quarq/context.hpp>
#include <quarq/detail/handler.hpp>
#include <quarq/http/request.hpp>
#include <quarq/http/response.hpp>
#include <quarq/rpc/serve.hpp>
#include <quarq/semaphore.hpp>
#include <quarq/thread_pool.hpp>

#include "clients/worker_connection.hpp"
#include "processes/untyped_pool.hpp"
#include "rpc/call_span.hpp"
#include "rpc/running_call.hpp"
#include "rpc/wire.hpp"

namespace quarq::rpc {

/// Belongs to one loop.
class service : public std::enable_shared_from_this<service> {
 public:
  /// Throws usage_error for handlers that can't be used.
  service(const handlers& those, service_options options);
  ~service();
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  /// Makes what handlers need, once: the first call does it otherwise. Throws what on_startup throws; then the next
  /// call tries again.
  awaitable<void> start();

  /// The answer to POST /rpc/TASK. Throws nothing but http::problem and operation_aborted.
  awaitable<http::response> answer(std::string task, http::request& r);

 private:
  struct parsed;
  call_request request_of(const std::string& task, parsed& what) const;
  call_places places() const noexcept;
  parsed parse(const std::string& task, encoding e, const http::request& r, std::string body,
               const trace_headers& trace) const;
  const quarq::detail::handler& handler_of(const std::string& task) const;
  /// Of its parameters; none for a task that is not known.
  std::span<const std::string> names_of(const std::string& task) const;
  void make_pools();
  void connect(const boost::asio::any_io_executor& loop);

  const service_options options_;
  std::unordered_map<std::string, quarq::detail::handler> handlers_;
  std::string tasks_;  ///< as text
  context base_;
  std::optional<thread_pool> threads_;
  std::unique_ptr<quarq::processes::untyped_pool> processes_;
  std::shared_ptr<clients::worker_connection> connection_;
  semaphore starting_{1};
  bool started_ = false;
};

/// Has the server answer the calls of this service.
void add_route_of(http::server& by, const std::shared_ptr<service>& calls, std::uint64_t max_arguments);

}  // namespace quarq::rpc
