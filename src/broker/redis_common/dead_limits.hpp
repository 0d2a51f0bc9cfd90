// How many dead jobs a queue keeps, as the URL says it to both Redis layouts.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace quarq::broker::redis_common {

/// The oldest go first.
struct dead_limits {
  std::uint64_t jobs;             ///< ?dead_jobs=
  std::chrono::milliseconds age;  ///< ?dead_days=

  /// Takes a parameter of a URL if it is one of these two; false if not. Throws usage_error that names it and
  /// its range.
  bool read(const std::string& name, const std::string& value);
  /// As scripts take them: two arguments.
  std::vector<std::string> args() const;
  /// A warning that so many were removed; nothing if there were none.
  void log_removed(const std::string& queue, std::int64_t dead) const;
};

}  // namespace quarq::broker::redis_common
