// What connection_fsm asks of the code that drives it.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <variant>

#include "redis/request.hpp"

namespace quarq::redis {

// Notifications of users: delivered later, on the loop, never from inside one of their calls.

/// A request has ended.
struct completion {
  std::unique_ptr<completion_handler> handler;
  std::exception_ptr failure;
  reply content;
};
/// Somebody published to a channel.
struct message {
  std::string channel, text;
};
/// A lost connection is back.
struct reconnected {};

using notification = std::variant<completion, message, reconnected>;

// What happens to the connection itself.

/// Look up the master if there are sentinels, then connect; on_disconnected() ends the attempt.
struct start_attempt {};
/// Write output() to the server; on_written() ends the write.
struct start_write {};
/// Call on_flush() at the end of this turn of the loop, so that all of its requests share one write.
struct schedule_flush {};
/// Stop reading, so that the loop has nothing to do.
struct start_rest {};
/// Read again.
struct end_rest {};
/// Close the socket; on_disconnected() follows.
struct disconnect {
  std::string why;
};
/// The master that a sentinel named could not be used: another sentinel is to be asked first next time.
struct distrust_sentinel {};
struct write_log {
  bool is_warning;
  std::string text;
};

using action = std::variant<start_attempt, start_write, schedule_flush, start_rest, end_rest, disconnect,
                            distrust_sentinel, write_log>;

}  // namespace quarq::redis
