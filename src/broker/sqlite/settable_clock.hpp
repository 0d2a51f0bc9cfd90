// The time of jobs in memory, for tests that set it.
#pragma once

#include <atomic>
#include <memory>

#include "broker/sqlite/clocks.hpp"

namespace quarq::broker::sqlite {

/// A wall clock that stands still until it is set. Leases do not run out by it. Thread-safe.
class settable_clock : public std::enable_shared_from_this<settable_clock> {
 public:
  explicit settable_clock(time_point start) : now_(start) {}

  time_point now() const noexcept { return now_; }
  void set(time_point to) noexcept { now_ = to; }
  void advance(milliseconds by) noexcept;
  /// For a store, which may outlive the others that hold this.
  clocks for_store();

 private:
  std::atomic<time_point> now_;
};

/// From now on, stores in memory that are opened go by it. Throws std::logic_error if there is another one, or if such
/// a store is open.
void go_by(const std::shared_ptr<settable_clock>& time);
void stop_going_by(const settable_clock& time) noexcept;
/// Those of the settable clock, if there is one, or else of this machine.
clocks clocks_in_memory();

}  // namespace quarq::broker::sqlite
