// Asks the sentinels where the master is: sentinel_list decides, this does it.
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

  /// Returns the options with host and port of the master, which the first sentinel that answers has named.
  /// Throws permanent_error if asking again would bring the same, else an error that may pass; both say what
  /// each sentinel answered.
  static awaitable<connection_options> resolve(std::shared_ptr<sentinel_resolver> self);
  /// Ends the search that is under way, and those to come.
  void stop();

  /// What the last successful search found, and the sentinel that named it.
  const endpoint& master() const noexcept { return sentinels_.master(); }
  const endpoint& sentinel() const noexcept { return sentinels_.asked(); }
  /// The server found last could not be used: the next search begins with another sentinel.
  void distrust() { sentinels_.distrust(); }
  /// How a search that is under way stands; else empty.
  std::string progress() const;

 private:
  static awaitable<void> ask_next(std::shared_ptr<sentinel_resolver> self);
  connection_options next_sentinel() const;

  const boost::asio::any_io_executor loop_;
  const connection_options options_;
  sentinel_list sentinels_;
  std::weak_ptr<socket> socket_;  // to the sentinel that is being asked
  bool is_stopped_ = false;
};

}  // namespace quarq::redis
