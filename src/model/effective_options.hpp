// The options that hold for one job: the call's, and the handler's where the call sets none.
#pragma once

#include <chrono>
#include <optional>

#include <quarq/handler.hpp>
#include <quarq/retention.hpp>
#include <quarq/retry.hpp>

#include "model/record.hpp"

namespace quarq::model {

struct effective_options {
  std::optional<milliseconds> timeout;
  retry_policy retry;
  retention keep_success = milliseconds{0};
  retention keep_failure = milliseconds{0};
  /// What was asked for, if it is less than keep_failure.
  std::optional<milliseconds> keep_asked_for;
};

/// How long ends are kept by default. That of a task that returns void says that the job has succeeded, to
/// those who ask soon after. Under an id of the caller's choice nothing is kept, so that the id is free.
inline constexpr retention default_keep = std::chrono::hours(1);
inline constexpr retention default_void_keep = std::chrono::minutes(1);

/// `keep_by_default`: successes, unless the call or the handler says otherwise.
effective_options effective_options_for(const record& r, const handler_options& options,
                                        retention keep_by_default = default_keep);

}  // namespace quarq::model
