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
};

/// `returns_void`: results are not kept unless the call or the handler asks for it.
effective_options effective_options_for(const record& r, const handler_options& options, bool returns_void);

}  // namespace quarq::model
