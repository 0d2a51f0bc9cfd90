// A part of the jobs of a queue, and where to go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <quarq/job_info.hpp>

namespace quarq {

/// How much queue::list and queue::count do in one call.
struct list_options {
  std::size_t limit = 50;          ///< so many jobs; where jobs move meanwhile, perhaps a few more
  std::size_t scan_limit = 5'000;  ///< how many jobs are looked at; up to 500 more
  /// Where to go on: what the call before returned as `next`, for the same queue and filter. Empty: at the beginning.
  std::string_view from = {};
};
static_assert(std::is_trivially_destructible_v<list_options>);

/// How far the calls have come that go on from each other.
struct list_progress {
  std::string next;             ///< for list_options::from; empty: all jobs were looked at
  std::uint64_t looked_at = 0;  ///< by this call and those before it
  /// How many jobs there were in the states of the filter when the call began; nullopt where the store does not
  /// count them (arq:// has no index of running and ended jobs).
  std::optional<std::uint64_t> total;
};

/// The jobs that a filter means, in the order of their states: deferred, queued, running, succeeded, failed,
/// cancelled, expired, dead; and in each, queued ones in the order of their claiming, deferred ones by due time, dead ones
/// by when they died, others that ended by the time until which they are kept.
struct job_list : list_progress {
  std::vector<job_info> jobs;
};

struct job_count : list_progress {
  std::uint64_t count = 0;  ///< how many were found by this call
};

}  // namespace quarq
