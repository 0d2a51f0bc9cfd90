// What becomes of a job after a try: plain functions, no clock and no I/O.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <quarq/handler.hpp>
#include <quarq/job_state.hpp>
#include <quarq/retry.hpp>

#include "model/record.hpp"

namespace quarq::model {

/// The handler's options with the call's own wishes over them.
struct terms {
  std::optional<milliseconds> timeout;
  retry_policy retry;
  milliseconds keep_success{0};
  milliseconds keep_failure{0};
};

/// As brokers take it: nothing means for ever.
std::optional<milliseconds> keep_of(milliseconds keep);

terms terms_for(const record& r, const handler_options& options, bool returns_nothing);

/// Why a running job was asked to stop.
enum class stop_reason { none, timed_out, cancelled, shutdown };

/// What a try came to.
struct attempt {
  enum class what {
    returned,      ///< the handler returned
    threw,         ///< the handler threw
    impossible,    ///< its payload can't be decoded
    permanent,     ///< the handler said that trying again is no use
    unknown_task,  ///< no handler here
    expired,       ///< claimed after its time
    exhausted,     ///< lost with its workers until no try was left
  };
  what came = what::returned;
  stop_reason stopped = stop_reason::none;
  std::string error_type, error;
  /// The handler's own wish (quarq::retry): instead of the policy's pause.
  std::optional<milliseconds> pause = std::nullopt;
};

/// What to do: end in a state, defer for a pause, or hand back (state queued).
struct verdict {
  job_state state = job_state::succeeded;
  milliseconds pause{0};
};

/// `attempts` counts this try; `random`, from 0 to 1, spreads the pause.
verdict decide(const attempt& a, const retry_policy& retry, int attempts, double random);

}  // namespace quarq::model
