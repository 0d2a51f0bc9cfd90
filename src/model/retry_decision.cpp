#include "model/retry_decision.hpp"

namespace quarq::model {

decision decide(const attempt& a, const retry_policy& retry, int attempts, double random) {
  using kind = attempt::result_kind;
  switch (a.result) {
    case kind::returned:
      // Also when it was asked to stop: work that is done is not done again.
      return {job_state::succeeded};
    case kind::expired:
      return {job_state::expired};
    case kind::impossible:
    case kind::exhausted:
    case kind::unknown_task:
      return {job_state::dead};
    case kind::permanent:
      return {job_state::failed};
    case kind::threw:
      break;
  }
  if (a.stopped == stop_reason::cancelled) return {job_state::cancelled};
  if (a.stopped == stop_reason::shutdown || a.stopped == stop_reason::returned) return {job_state::queued};
  if (retry.retries_only_when_asked() && !a.pause) return {job_state::failed};
  if (attempts < retry.max_attempts())
    return {job_state::deferred, a.pause ? *a.pause : retry.pause_after(attempts, random)};
  // With a single attempt the exception is an answer, as that of a function call; otherwise all retries were
  // in vain, and an operator should look.
  const bool is_answer = retry.max_attempts() == 1 && !a.pause;
  return {is_answer ? job_state::failed : job_state::dead};
}

}  // namespace quarq::model
