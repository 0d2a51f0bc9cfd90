// Asks the sentinels where the master is: what sentinel_list decides, done.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>

#include "redis/options.hpp"
#include "redis/sentinel_list.hpp"
#include "redis/socket.hpp"

namespace quarq::redis {

class sentinel_resolver {
 public:
  sentinel_resolver(boost::asio::any_io_executor loop, connection_options options);

  /// The options with the master's host and port, which the first sentinel that answers has named. Throws
  /// permanent_error where asking again would bring the same, else an error that may pass; both say what came
  /// of each sentinel.
  static awaitable<connection_options> find(std::shared_ptr<sentinel_resolver> self);
  /// Ends a search that is under way, and those to come.
  void stop();

  /// The connection that find() was for has ended. `usable`: it had reached a master.
  /// Returns why, with who sent us there.
  std::string ended(const std::string& why, bool usable);
  /// "127.0.0.1:6379": the last that was found.
  std::string master() const { return host_and_port(sentinels_.master()); }
  /// What a search has come to while it is under way; else empty.
  std::string progress() const;

 private:
  static awaitable<void> ask_next(std::shared_ptr<sentinel_resolver> self);
  connection_options next_one() const;

  const boost::asio::any_io_executor loop_;
  const connection_options options_;
  sentinel_list sentinels_;
  std::weak_ptr<socket> link_;  // to the one that is being asked
  bool stopped_ = false;
};

}  // namespace quarq::redis
