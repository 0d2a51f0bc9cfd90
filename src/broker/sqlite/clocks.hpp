// The clocks that the SQLite broker uses.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "broker/broker.hpp"

namespace quarq::broker::sqlite {

/// Due times, expiries and retention are on the wall clock, which people and time services set, forwards and
/// backwards. Leases are on a clock that nobody sets, so that no step of the other one makes a worker lost
/// or keeps a lost one.
struct clocks {
  std::function<time_point()> wall;
  /// Time since this machine was started, suspensions included.
  std::function<milliseconds()> uptime;
  /// Names this run of the machine: moments of another run cannot be compared with `uptime`, and the
  /// processes of another run are gone.
  std::string boot;
};

/// This machine's clocks. Thread-safe.
clocks machine_clocks();

}  // namespace quarq::broker::sqlite
