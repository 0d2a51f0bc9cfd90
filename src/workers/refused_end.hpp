// What becomes of an end that the store does not take.
#pragma once

#include <optional>
#include <string>

#include "broker/broker.hpp"
#include "workers/clock.hpp"

namespace quarq::workers {

/// A settlement that was refused, alone, by a store that takes others.
struct refused_end {
  broker::settlement what;
  std::string why;          ///< what the store said last
  int times = 0;            ///< how often it was refused
  clock::time_point again;  ///< when it is sent next
};

/// A short end as failed, with the reason, in place of the refused one. nullopt: it hands the job back, and
/// nothing is shorter than that.
std::optional<broker::settlement> short_end_for(const refused_end& refused);

}  // namespace quarq::workers
