// What becomes of an end that the store does not take.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/broker.hpp"
#include "workers/clock.hpp"

namespace quarq::workers {

/// As the settler keeps it: with a number of its own. The id does not tell two from each other: a job that is tried again
/// at once may have ended twice before its first end is on disk.
struct numbered_settlement : broker::settlement {
  std::uint64_t number = 0;
};

/// A settlement that was refused, alone, by a store that takes others.
struct refused_end {
  numbered_settlement what;
  std::string why;          ///< what the store said last
  int times = 0;            ///< how often it was refused
  clock::time_point again;  ///< when it is sent next
};

/// A short end as failed, with the reason, in place of the refused one. nullopt: it hands the job back, and
/// nothing is shorter than that.
std::optional<broker::settlement> short_end_for(const refused_end& refused);

}  // namespace quarq::workers
