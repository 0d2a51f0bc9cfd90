// Which requests wait to be sent, which wait for their reply, and which reply is whose. No I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "redis/resp.hpp"
#include "redis/script.hpp"

namespace quarq::redis {

/// Whoever waits for the answer to a request: a completion handler, its type forgotten. (Asio has
/// any_completion_handler for this, but in Boost 1.81 assigning one recurses until the stack ends.)
class completion_handler {
 public:
  virtual ~completion_handler() = default;
  /// To be called once, on the loop.
  virtual void end(std::exception_ptr failure, reply content) = 0;
};

struct request {
  using clock = std::chrono::steady_clock;
  /// A subscription is not answered by a reply but confirmed by a push, in the same place of the stream.
  enum class kind { command, subscribe, unsubscribe };

  kind type = kind::command;
  std::string bytes;                          ///< as it is sent
  const script* evaluates = nullptr;          ///< if it is an EVALSHA
  std::optional<clock::time_point> deadline;  ///< until when it waits for a connection
  std::unique_ptr<completion_handler> done;   ///< empty: nobody waits for it, or not any more
  int script_loads = 0;                       ///< how often it was answered NOSCRIPT
};

using request_ptr = std::shared_ptr<request>;

class pipeline {
 public:
  using clock = request::clock;

  void add(request_ptr r) { waiting_.push_back(std::move(r)); }
  /// Before all others.
  void add_first(request_ptr r) { waiting_.push_front(std::move(r)); }

  /// Appends the bytes of all waiting requests; from now on they wait for their replies.
  void gather(std::string& out);

  /// The request that this reply, or confirmation of a subscription, belongs to. Throws protocol_error if
  /// none does.
  request_ptr match(const reply& r);

  /// The connection is gone: what was sent and is still awaited is to be sent again, before what was not
  /// sent.
  void lost();

  /// Nobody waits for it any more. Its reply is dropped when it comes; if it was not sent, it never is.
  void abandon(const request_ptr& r);

  /// Removes waiting requests whose deadline has passed.
  std::vector<request_ptr> take_expired(clock::time_point now);
  std::optional<clock::time_point> next_deadline() const;

  /// Removes waiting requests, all of them.
  std::vector<request_ptr> take_waiting();

  bool anything_waiting() const noexcept { return !waiting_.empty(); }
  bool anything_sent() const noexcept { return !sent_.empty(); }

 private:
  std::deque<request_ptr> waiting_, sent_;
};

}  // namespace quarq::redis
