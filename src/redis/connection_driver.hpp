// Drives connection_fsm with sockets, a timer and coroutines. Decides nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <quarq/awaitable.hpp>

#include "async/loop_lifetime.hpp"
#include "redis/completion_dispatcher.hpp"
#include "redis/connection_fsm.hpp"
#include "redis/sentinel_resolver.hpp"
#include "redis/socket.hpp"

namespace quarq::redis {

/// The loop owns the coroutines and handlers that wait or read; of the loop, this object holds the timer
/// only. So it may outlive the loop, whose end also ends everything that waits for a reply.
class connection_driver final : public async::loop_guest,
                                public std::enable_shared_from_this<connection_driver> {
 public:
  using receiver = connection_fsm::receiver;

  /// Makes one that is told when its loop is destroyed.
  static std::shared_ptr<connection_driver> make(boost::asio::any_io_executor loop,
                                                 connection_options options);
  connection_driver(boost::asio::any_io_executor loop, connection_options options);

  void submit(request_ptr r);
  void cancel(const request_ptr& r);
  void add_subscription(std::string channel, receiver to);
  void remove_subscription(std::string_view channel);
  /// The same, unless the channel has another subscriber by now.
  void remove_subscription(const std::string& channel, const receiver& to);
  void expect_messages(bool on);
  void on_reconnect(std::function<void()> f) { on_reconnect_.push_back(std::move(f)); }
  void on_rest(std::function<void()> f) { on_rest_.push_back(std::move(f)); }
  void close();

 private:
  using socket_ptr = std::shared_ptr<socket>;

  // Actions of the machine.
  void perform_actions();
  void perform(start_attempt&);
  void perform(start_write&);
  void perform(schedule_flush&);
  void perform(start_rest&);
  void perform(end_rest&);
  void perform(disconnect& d);
  void perform(distrust_sentinel&);
  void perform(write_log& w);
  void set_timer();

  // One attempt to connect, and the connection that comes of it.
  enum class socket_state { fresh, rested };
  static awaitable<void> attempt(std::shared_ptr<connection_driver> self, socket_ptr to, socket_state begin);
  awaitable<void> connect(socket_ptr to);
  awaitable<connection_options> resolve();
  awaitable<void> receive(socket_ptr from);
  attempt_progress progress() const;

  // Calls to users, from the loop only.
  void post_notifications();
  void deliver_all();
  void deliver(completion& c);
  void deliver(message& m);
  void deliver(reconnected&);

  void loop_destroyed() noexcept override;

  const boost::asio::any_io_executor loop_;
  connection_fsm fsm_;
  std::shared_ptr<sentinel_resolver> resolver_;  // null: there are no sentinels
  std::weak_ptr<socket> socket_;                 // of the current attempt
  socket_ptr resting_;                           // the same, while nothing is read from it
  bool is_attempt_running_ = false;              // its coroutine
  std::optional<boost::asio::steady_timer> timer_;
  std::optional<connection_fsm::time_point> timer_at_;
  std::vector<action> spare_;  // memory of the last actions
  completion_dispatcher dispatcher_;
  std::vector<std::function<void()>> on_reconnect_, on_rest_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace quarq::redis
