// An estimate of the server's clock between two replies that tell its time.
#pragma once

#include <chrono>
#include <optional>

#include "broker/broker.hpp"

namespace quarq::broker::redis_common {

/// An answer that took long says little: it may have lain in the socket for as long as this process stood
/// still. So a moment is believed if it came quickly, or if nothing better is known.
class server_time {
 public:
  using steady = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds quickly{100};

  /// The server said `said` to a question asked at `asked`, whose answer is here now.
  void heard(time_point said, steady::time_point asked, steady::time_point now) {
    const bool was_quick = now - asked <= quickly;
    if (!said_ || was_quick || !known_well_) {
      said_ = said;
      said_at_ = asked;
      known_well_ = was_quick;
    }
  }
  /// Nothing: the server has not said anything yet. Later than the truth by a question's time at most.
  std::optional<time_point> at(steady::time_point now) const {
    if (!said_) return std::nullopt;
    return *said_ + std::chrono::duration_cast<milliseconds>(now - said_at_);
  }

 private:
  std::optional<time_point> said_;
  steady::time_point said_at_{};
  bool known_well_ = false;
};

}  // namespace quarq::broker::redis_common
