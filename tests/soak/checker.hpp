// Judges a soak by its journal and by what the broker says at the end, as Jepsen's total-queue checker does:
// https://jepsen-io.github.io/jepsen/jepsen.checker.html#var-total-queue
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <quarq/job_state.hpp>

#include "soak/journal.hpp"

namespace quarq::soak {

/// How a job has ended, as the broker lists it.
struct final_state {
  job_state state = job_state::succeeded;
  std::int64_t result = 0;  ///< of a success
};
using final_states = std::multimap<std::string, final_state>;

struct report {
  std::vector<std::string> violations;  ///< a sentence each
  std::size_t acknowledged = 0, started = 0, repeated = 0, awaited = 0, cancelled = 0, refused = 0, cron = 0,
              requeued = 0, purged = 0;
};

/// - Every acknowledged job ended once, in one final state, with its own result; or an operator purged a state
///   in which it may have been. No more are gone than operators were told.
/// - Nothing started before its time by the clock as it was set, or after its cancellation was confirmed. What
///   ran when its cancellation was requested did not start again.
/// - A job started again only if its attempt had failed on purpose, or if a fault hit the worker of the
///   earlier attempt. Trouble of the broker alone is no reason.
/// - What a client waited for, or an operator saw, is what was recorded.
/// - A dead job that was requeued ran again.
/// - Each second of cron between `healthy_from` and `healthy_until` was run.
report check(const std::vector<entry>& journal, const final_states& ends, micros healthy_from,
             micros healthy_until);

}  // namespace quarq::soak
