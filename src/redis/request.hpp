// A command on its way to the server, with the handler of its reply.
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "redis/resp.hpp"
#include "redis/script.hpp"

namespace quarq::redis {

/// The completion handler of a request, with its type erased. (Asio has any_completion_handler for this, but
/// in Boost 1.81 assigning one recurses until the stack ends.)
class completion_handler {
 public:
  virtual ~completion_handler() = default;
  /// Must be called at most once, on the loop.
  virtual void complete(std::exception_ptr failure, reply content) = 0;
};

struct request {
  using clock = std::chrono::steady_clock;
  /// A subscription is confirmed by a push, which takes the place of a reply in the stream.
  enum class kind { command, subscribe, unsubscribe };
  /// Kept by the pipeline: which of its queues holds the request.
  enum class state { none, waiting, sent };

  kind type = kind::command;
  std::string bytes;                            ///< as it is sent
  const script* evaluates = nullptr;            ///< if it is an EVALSHA
  const script* loads = nullptr;                ///< if it is a SCRIPT LOAD
  std::optional<clock::time_point> deadline{};  ///< how long it waits for a connection
  std::unique_ptr<completion_handler> handler;  ///< empty: nobody waits for the reply, or not any more
  int script_loads = 0;                         ///< how often the server answered NOSCRIPT
  int cuts = 0;  ///< how often the connection was lost while this was the next to be answered
  state at = state::none;
};

using request_ptr = std::shared_ptr<request>;

request_ptr make_request(const std::vector<std::string>& args);
request_ptr make_evalsha(const script& source, std::vector<std::string> keys,
                         std::vector<std::string> arguments);
/// The same, with one key; the words need not exist afterwards.
request_ptr make_evalsha(const script& source, std::string_view key,
                         std::span<const std::string_view> arguments);
/// `type` is subscribe or unsubscribe.
request_ptr make_subscription(request::kind type, std::string_view channel);

}  // namespace quarq::redis
