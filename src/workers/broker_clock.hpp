// The broker's clock, as a worker knows it from what the broker says.
#pragma once

#include <optional>

#include "broker/broker.hpp"
#include "workers/clock.hpp"

namespace quarq::workers {

class broker_clock {
 public:
  broker_clock(clock& local, boost::asio::any_io_executor loop) : local_(local), heard_(std::move(loop)) {}

  /// `now` was the broker's clock when it answered what was asked at `asked`. Only an answer sets the clock
  /// back, by which the broker's clock must have been set back itself: it is no older than its question.
  void note_answer(broker::time_point now, clock::time_point asked);
  /// `sent` was the broker's clock when it sent a message, which may have been long ago.
  void note_message(broker::time_point sent);
  bool is_known() const noexcept { return noted_at_.has_value(); }
  /// It may be a little later there. REQUIRES: is_known().
  broker::time_point now() const;
  /// For one coroutine.
  awaitable<void> wait_known();

 private:
  /// Two clocks do not run alike.
  static constexpr milliseconds tolerance{50};

  void set(broker::time_point now);
  broker::time_point at(clock::time_point local) const;

  clock& local_;
  async::auto_reset_event heard_;
  broker::time_point noted_{};
  std::optional<clock::time_point> noted_at_;
};

}  // namespace quarq::workers
