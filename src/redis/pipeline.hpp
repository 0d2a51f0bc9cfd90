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

  /// Appends the bytes of all waiting requests to `out`; from now on they are sent.
  void gather(std::string& out);

  /// Removes and returns the request that this reply, or confirmation of a subscription, belongs to. Throws
  /// protocol_error if there is none.
  request_ptr match(const reply& r);

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

  bool has_waiting() const noexcept { return !waiting_.empty(); }
  bool has_sent() const noexcept { return !sent_.empty(); }

 private:
  std::deque<request_ptr> waiting_, sent_;
  std::size_t retries_ = 0;  // at the beginning of waiting_, at most
};

}  // namespace quarq::redis
