// The broker's clock, as a worker knows it from the answers to its claims.
#pragma once

#include <optional>

#include "broker/broker.hpp"
#include "workers/clock.hpp"

namespace quarq::workers {

class broker_clock {
 public:
  broker_clock(clock& local, boost::asio::any_io_executor loop) : local_(local), heard_(std::move(loop)) {}

  void note(broker::time_point now);
  bool is_known() const noexcept { return noted_at_.has_value(); }
  /// It may be a little later there. REQUIRES: is_known().
  broker::time_point now() const;
  /// For one coroutine.
  awaitable<void> wait_known();

 private:
  clock& local_;
  async::auto_reset_event heard_;
  broker::time_point noted_{};
  std::optional<clock::time_point> noted_at_;
};

}  // namespace quarq::workers
