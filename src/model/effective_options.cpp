#include "model/effective_options.hpp"

#include <algorithm>

namespace quarq::model {
namespace {

retention within_bounds(retention keep) {
  const auto duration = keep.duration();
  if (!duration) return forever;
  return std::clamp(*duration, milliseconds{0}, max_time);
}

}  // namespace

effective_options effective_options_for(const record& r, const handler_options& options,
                                        retention keep_by_default) {
  effective_options o;
  o.timeout = r.timeout ? r.timeout : options.timeout;
  if (o.timeout > max_time) o.timeout.reset();
  o.retry = r.backoff ? r.backoff->attempts(options.retry.max_attempts()) : options.retry;
  if (r.max_attempts) o.retry = o.retry.attempts(*r.max_attempts);
  o.retry = o.retry.only_when_asked(options.retry.retries_only_when_asked());
  const auto asked = r.keep_result ? r.keep_result : options.keep_result;
  o.keep_success = within_bounds(asked.value_or(keep_by_default));
  o.keep_failure = std::max(o.keep_success, default_keep);
  if (asked && o.keep_success < o.keep_failure) o.keep_asked_for = o.keep_success.duration();
  return o;
}

}  // namespace quarq::model
