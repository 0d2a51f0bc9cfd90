// Handlers of tasks as routes of an HTTP server.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <quarq/awaitable.hpp>
#include <quarq/context.hpp>
#include <quarq/handlers.hpp>
#include <quarq/http/server.hpp>

namespace quarq::rpc {

struct service_options {
  /// Threads that run plain functions. 0: one for each processor.
  std::size_t threads = 0;
  /// Processes that run handlers on level::process, likewise.
  std::size_t processes = 0;
  /// Bytes of the arguments of one call; 413.
  std::uint64_t max_arguments = 16 * 1024 * 1024;
  /// A handler that was asked to stop has this long to do so. Then the call is answered without it.
  std::chrono::milliseconds cancel_timeout{5'000};
  /// Where context::queue() and context::enqueue() send jobs; see quarq::queue. Empty: they throw usage_error.
  std::string broker = {};
  /// Runs before the first call, on the server's loop: what it puts into the context is the state() of all handlers.
  std::function<awaitable<void>(context&)> on_startup = {};
};

/// Lets the server answer `POST /rpc/TASK` for these tasks, beside its other routes. The body has the arguments, as a
/// JSON array or, by the names of the parameters, as a JSON object; or one of both as msgpack, if Content-Type is
/// application/msgpack. The answer is the result, written in the same way. docs/rpc.md has all of it.
///
/// A handler is called as a worker calls it, on its level; of its handler_options, `timeout` counts, and retries are
/// the caller's affair. Its context's id() is new for each call. When the caller goes away or its deadline passes, the
/// handler is asked to stop.
///
/// Throws usage_error for handlers that can't be used. REQUIRES: the server does not run yet.
void serve(http::server& by, const handlers& those, service_options options = {});

}  // namespace quarq::rpc
