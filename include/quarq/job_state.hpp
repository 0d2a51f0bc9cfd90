// The states of a job, which may follow which (docs/job_states.md), and sets of them.
#pragma once

#include <optional>
#include <string_view>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

/// The last five are final; an operator can requeue a dead job.
enum class job_state {
  queued,     ///< ready to be claimed by a worker
  deferred,   ///< waits for its time: a delay, or the pause before a retry
  running,    ///< claimed: one worker holds its lease
  succeeded,  ///< the handler returned
  failed,     ///< the handler threw, and no retry was allowed or it said that a retry would not help
  cancelled,  ///< a client or an operator cancelled it
  expired,    ///< no worker claimed it in time
  dead,       ///< it used all its attempts or can't be run; its payload is kept, and it can be requeued
};

/// "queued", "deferred", ...: the words used by the command line, the logs and the brokers.
std::string_view to_string(job_state state) noexcept;

/// The reverse of to_string; nullopt for any other word.
std::optional<job_state> job_state_from(std::string_view word) noexcept;

/// Whether a job in this state has ended.
constexpr bool is_final(job_state state) noexcept {
  return state >= job_state::succeeded;
}

/// Whether a job may go from one state to the other. Every broker is tested against this table.
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

/// A set of states: `job_state::dead`, or `job_state::queued | job_state::deferred`.
class job_states {
 public:
  constexpr job_states() noexcept = default;
  constexpr job_states(job_state one) noexcept  // NOLINT(google-explicit-constructor)
      : bits_(1U << static_cast<unsigned>(one)) {}

  constexpr bool empty() const noexcept { return bits_ == 0; }
  constexpr bool contains(job_state one) const noexcept { return !(job_states(one) & *this).empty(); }

  friend constexpr job_states operator|(job_states a, job_states b) noexcept {
    return job_states(a.bits_ | b.bits_);
  }
  friend constexpr job_states operator&(job_states a, job_states b) noexcept {
    return job_states(a.bits_ & b.bits_);
  }
  friend constexpr bool operator==(job_states, job_states) noexcept = default;

 private:
  constexpr explicit job_states(unsigned bits) noexcept : bits_(bits) {}
  unsigned bits_ = 0;
};

constexpr job_states operator|(job_state a, job_state b) noexcept {
  return job_states(a) | job_states(b);
}

}  // namespace quarq
