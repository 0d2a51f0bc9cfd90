// What happens to a job after an attempt: a plain function, no clock and no I/O.
#pragma once

#include <quarq/job_state.hpp>
#include <quarq/retry.hpp>

#include "model/attempt.hpp"

namespace quarq::model {

/// End in a final state, retry after a pause (deferred), or hand back (queued).
struct decision {
  job_state state = job_state::succeeded;
  milliseconds pause{0};
};

/// `attempts` counts this one; `random`, from 0 to 1, spreads the pause.
decision decide(const attempt& a, const retry_policy& retry, int attempts, double random);

}  // namespace quarq::model
