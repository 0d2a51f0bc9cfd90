// Which requests wait to be sent, which wait for their reply, and which reply is whose. No I/O.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "redis/request.hpp"

namespace quarq::redis {

/// A request is in one of two queues: waiting (to be sent) or sent (and without its reply). Replies come in
/// the order in which requests were sent.
class pipeline {
 public:
  using clock = request::clock;

  void add(request_ptr r);
  /// Ahead of all others that wait.
  void add_first(request_ptr r);
  /// Ahead of all others that wait, but for those that were added in this way since gather().
  void add_retry(request_ptr r);

  /// Appends the bytes of all waiting requests to `out`; from now on they are sent. A request over which the
  /// connection was lost repeatedly is sent alone, so that no other is blamed for it. It waits for replies
  /// of those that were sent before, and the others wait for its own.
  void gather(std::string& out);
  /// Whether the last gather() left requests waiting: gather again after a reply.
  bool holds_back() const noexcept { return holds_back_; }

  /// Removes and returns the request that this reply, or confirmation of a subscription, belongs to. Throws
  /// protocol_error if there is none.
  request_ptr match(const reply& r);

  /// The other side has closed the connection: counts that against the next request to be answered. Removes
  /// and returns it if that was the `max_cuts`th time; else returns null.
  request_ptr take_refused();

  /// The connection is lost: sent requests wait again, ahead of those that were not sent, except for those
  /// whose reply nobody waits for.
  void requeue_sent();

  /// Nobody waits for the reply any more. A sent request drops it; a waiting one is never sent.
  void abandon(const request_ptr& r);

  /// Removes and returns waiting requests whose deadline has passed.
  std::vector<request_ptr> take_expired(clock::time_point now);
  /// The earliest deadline of a waiting request.
  std::optional<clock::time_point> next_deadline() const;

  /// Removes and returns all waiting requests.
  std::vector<request_ptr> take_waiting();

  static constexpr int alone_after = 2;  ///< cuts
  static constexpr int max_cuts = 5;

  bool has_waiting() const noexcept { return !waiting_.empty(); }
  bool has_sent() const noexcept { return !sent_.empty(); }

 private:
  std::size_t may_be_sent() const;

  std::deque<request_ptr> waiting_, sent_;
  std::size_t retries_ = 0;  // at the beginning of waiting_, at most
  bool holds_back_ = false;
};

}  // namespace quarq::redis
