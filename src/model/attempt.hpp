// One attempt at a job: how it came out.
#pragma once

#include <optional>
#include <string>

#include "model/record.hpp"

namespace quarq::model {

/// Why a job was asked to stop, or not to start.
enum class stop_reason {
  none,
  timed_out,
  cancelled,
  shutdown,  ///< the worker ends, or has lost its lease
  expired,   ///< before it started
  returned,  ///< before it started: other workers may start it sooner
};

struct attempt {
  enum class result_kind {
    returned,      ///< the handler returned
    threw,         ///< the handler threw
    impossible,    ///< its payload can't be decoded
    permanent,     ///< the handler said that a retry would not help
    unknown_task,  ///< no worker that took it has a handler
    expired,       ///< claimed after its expiry
    exhausted,     ///< its workers were lost until no attempt was left
  };
  result_kind result = result_kind::returned;
  stop_reason stopped = stop_reason::none;
  std::string error_type, error;
  /// What the handler asked for (quarq::retry_after), instead of the policy's pause.
  std::optional<milliseconds> pause = std::nullopt;
};

}  // namespace quarq::model
