// One timer for all WebSockets, or all connections of clients, of a loop.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "async/loop_lifetime.hpp"

namespace quarq::http {

/// Something that has one deadline at a time.
class has_deadline {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  /// It has no deadline now.
  virtual void on_deadline() = 0;

 protected:
  virtual ~has_deadline() = default;

 private:
  friend class loop_deadlines;
  std::optional<time_point> set_for_;
};

/// Belongs to its loop.
class loop_deadlines final : public async::loop_guest, public std::enable_shared_from_this<loop_deadlines> {
 public:
  using time_point = has_deadline::time_point;

  explicit loop_deadlines(boost::asio::execution_context& loop);
  static std::shared_ptr<loop_deadlines> of(boost::asio::execution_context& loop) {
    return async::loop_lifetime::of(loop)->shared_guest<loop_deadlines>();
  }

  /// Replaces the one that it had. It must be taken out before `whose` is destroyed.
  void set(has_deadline& whose, std::optional<time_point> when);
  /// Has it woken at `when` at the latest, or earlier, by a deadline that it had before. Most deadlines move away with
  /// every byte or request that comes, and this costs nothing then.
  void wake_by(has_deadline& whose, std::optional<time_point> when) {
    if (when && (!whose.set_for_ || *when < *whose.set_for_)) set(whose, when);
  }

  void loop_destroyed() noexcept override { timer_.reset(); }

 private:
  void arm();
  void on_timer();

  std::set<std::pair<time_point, has_deadline*>> all_;
  std::optional<boost::asio::steady_timer> timer_;
  std::optional<time_point> armed_for_;
};

}  // namespace quarq::http
