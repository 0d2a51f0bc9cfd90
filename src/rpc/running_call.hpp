// One call of a handler, from its arguments to its encoded result.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/context.hpp>
#include <quarq/detail/handler.hpp>

namespace quarq {
class thread_pool;
namespace processes {
class untyped_pool;
}
}  // namespace quarq

namespace quarq::rpc {

/// What runs handlers. Null, where no handler needs it.
struct call_places {
  const thread_pool* threads = nullptr;
  quarq::processes::untyped_pool* processes = nullptr;
};

struct call_request {
  const quarq::detail::handler* how = nullptr;
  std::string arguments;  ///< a msgpack array
  /// Its deadline is the caller's.
  quarq::detail::job_facts facts;
  std::chrono::milliseconds cancel_timeout{5'000};
};

/// Calls the handler on its level, and returns its encoded result. `base` has the state that all handlers share;
/// `owner` keeps it, the places and the handler alive, also for a function that runs on a thread after all else.
///
/// Throws what the handler throws. Past the deadline, or the handler's own timeout, it is asked to stop, and timed_out
/// is thrown; a call whose deadline has passed before that does not begin. When cancelled, the handler is asked to
/// stop, and operation_aborted is thrown. One that does not stop within cancel_timeout is left to itself.
awaitable<std::string> run_call(call_request what, const context& base, call_places places,
                                std::shared_ptr<const void> owner);

}  // namespace quarq::rpc
