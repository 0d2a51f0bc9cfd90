#include "model/effective_options.hpp"

#include <algorithm>

namespace quarq::model {
namespace {

constexpr retention default_keep = std::chrono::hours(1);

retention within_bounds(retention keep) {
  const auto duration = keep.duration();
  if (!duration) return forever;
  return std::clamp(*duration, milliseconds{0}, max_time);
}

}  // namespace

effective_options effective_options_for(const record& r, const handler_options& options, bool returns_void) {
  effective_options o;
  o.timeout = r.timeout ? r.timeout : options.timeout;
  if (o.timeout > max_time) o.timeout.reset();
  o.retry = r.backoff ? r.backoff->attempts(options.retry.max_attempts()) : options.retry;
  if (r.max_attempts) o.retry = o.retry.attempts(*r.max_attempts);
  const auto asked = r.keep_result ? r.keep_result : options.keep_result;
  o.keep_success = within_bounds(asked.value_or(returns_void ? retention(milliseconds{0}) : default_keep));
  o.keep_failure = std::max(o.keep_success, default_keep);
  return o;
}

}  // namespace quarq::model
