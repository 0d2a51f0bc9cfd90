#include "model/retry_decision.hpp"

#include <algorithm>
#include <cmath>

namespace quarq {

retry_policy::milliseconds retry_policy::pause_after(int n, double random) const noexcept {
  const double grown = static_cast<double>(first_.count()) * std::pow(factor_, std::max(n, 1) - 1);
  const double bounded = std::min(grown, static_cast<double>(most_.count()));
  const double spread = bounded * (1 + jitter_ * (2 * random - 1));
  // Whoever enqueues chooses the numbers: they may overflow, or be none. (A comparison with NaN is false.)
  if (!(spread > 0)) return milliseconds{0};
  constexpr auto longest = static_cast<double>(model::max_time.count());
  return milliseconds(static_cast<milliseconds::rep>(std::min(spread, longest)));
}

namespace model {
namespace {

constexpr milliseconds default_keep = std::chrono::hours(1);

milliseconds within_bounds(milliseconds keep) {
  return keep == forever ? forever : std::clamp(keep, milliseconds{0}, max_time);
}

}  // namespace

std::optional<milliseconds> keep_of(milliseconds keep) {
  return keep == forever ? std::nullopt : std::optional(keep);
}

terms terms_for(const record& r, const handler_options& options, bool returns_nothing) {
  terms t;
  t.timeout = r.timeout ? r.timeout : options.timeout;
  if (t.timeout > max_time) t.timeout.reset();
  t.retry = r.backoff ? r.backoff->attempts(options.retry.max_attempts()) : options.retry;
  if (r.attempts) t.retry = t.retry.attempts(*r.attempts);
  const auto asked = r.keep_result ? r.keep_result : options.keep_result;
  t.keep_success = within_bounds(asked.value_or(returns_nothing ? milliseconds{0} : default_keep));
  t.keep_failure = std::max(t.keep_success, default_keep);
  return t;
}

verdict decide(const attempt& a, const retry_policy& retry, int attempts, double random) {
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
  if (attempts < retry.max_attempts())
    return {job_state::deferred, a.pause ? *a.pause : retry.pause_after(attempts, random)};
  // With a single try the exception is an answer, as of a call; otherwise somebody hoped in vain, and should
  // look.
  const bool answer = retry.max_attempts() == 1 && a.came == what::threw && !a.pause;
  return {answer ? job_state::failed : job_state::dead};
}

}  // namespace model
}  // namespace quarq
