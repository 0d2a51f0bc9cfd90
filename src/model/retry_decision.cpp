#include "model/retry_decision.hpp"

#include <algorithm>
#include <cmath>

namespace quarq {

retry_policy::millis retry_policy::pause_after(int n, double random) const noexcept {
  const double grown = static_cast<double>(first_.count()) * std::pow(factor_, std::max(n, 1) - 1);
  const double bounded = std::min(grown, static_cast<double>(most_.count()));
  const double spread = bounded * (1 + jitter_ * (2 * random - 1));
  // Whoever enqueues chooses the numbers: they may overflow, or be none. (A comparison with NaN is false.)
  if (!(spread > 0)) return millis{0};
  constexpr auto longest = static_cast<double>(model::longest_time.count());
  return millis(static_cast<millis::rep>(std::min(spread, longest)));
}

namespace model {
namespace {

constexpr millis default_keep = std::chrono::hours(1);

millis within_bounds(millis keep) {
  return keep == forever ? forever : std::clamp(keep, millis{0}, longest_time);
}

}  // namespace

std::optional<millis> keep_of(millis keep) {
  return keep == forever ? std::nullopt : std::optional(keep);
}

terms terms_for(const record& r, const handler_options& options, bool returns_nothing) {
  terms t;
  t.timeout = r.timeout ? r.timeout : options.timeout;
  if (t.timeout > longest_time) t.timeout.reset();
  t.retry = r.backoff ? r.backoff->tries(options.retry.max_tries()) : options.retry;
  if (r.tries) t.retry = t.retry.tries(*r.tries);
  const auto asked = r.keep_result ? r.keep_result : options.keep_result;
  t.keep_success = within_bounds(asked.value_or(returns_nothing ? millis{0} : default_keep));
  t.keep_failure = std::max(t.keep_success, default_keep);
  return t;
}

verdict decide(const attempt& a, const retry_policy& retry, int tries, double random) {
  using what = attempt::what;
  switch (a.came) {
    case what::returned:
      // Also when it was asked to stop: work that is done is not done again.
      return {job_state::succeeded};
    case what::expired:
      return {job_state::expired};
    case what::impossible:
    case what::exhausted:
      return {job_state::dead};
    case what::permanent:
      return {job_state::failed};
    case what::threw:
    case what::unknown_task:
      break;
  }
  if (a.stopped == stop_reason::cancelled) return {job_state::cancelled};
  if (a.stopped == stop_reason::shutdown) return {job_state::queued};
  if (tries < retry.max_tries())
    return {job_state::deferred, a.pause ? *a.pause : retry.pause_after(tries, random)};
  // With a single try the exception is an answer, as of a call; otherwise somebody hoped in vain, and should
  // look.
  const bool answer = retry.max_tries() == 1 && a.came == what::threw && !a.pause;
  return {answer ? job_state::failed : job_state::dead};
}

}  // namespace model
}  // namespace quarq
