// The life of a job: its states and the changes that are allowed between them (docs/job_states.md).
#pragma once

#include <optional>
#include <string_view>

namespace quarq {

/// Where a job is in its life. The last five are ends; a dead job can be sent again by an operator.
enum class job_state {
  queued,     ///< ready to be claimed by a worker
  deferred,   ///< waits for its time: a delay, or the pause before another try
  running,    ///< claimed: one worker holds its lease
  succeeded,  ///< the handler returned
  failed,     ///< the handler threw, and the job was to be tried once or said that trying again is no use
  cancelled,  ///< somebody cancelled it
  expired,    ///< no worker claimed it in time
  dead,       ///< it used all its tries or can't be run; its payload is kept, and it can be requeued
};

/// "queued", "deferred", ...: the words used by the command line, the logs and the brokers.
std::string_view to_string(job_state state) noexcept;

/// The reverse of to_string; nothing for any other word.
std::optional<job_state> job_state_from(std::string_view word) noexcept;

/// Whether a job in this state has ended.
constexpr bool is_final(job_state state) noexcept {
  return state >= job_state::succeeded;
}

/// The one table of allowed changes, against which every broker is tested.
constexpr bool may_change(job_state from, job_state to) noexcept {
  switch (from) {
    case job_state::queued:
      return to == job_state::running || to == job_state::cancelled;
    case job_state::deferred:
      return to == job_state::queued || to == job_state::cancelled;
    case job_state::running:
      return to == job_state::queued || to == job_state::deferred || is_final(to);
    case job_state::dead:
      return to == job_state::queued;
    default:
      return false;
  }
}

}  // namespace quarq
