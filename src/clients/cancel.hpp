// Cancelling a job, and what is recorded of it should its worker have no say in its end.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <quarq/awaitable.hpp>

#include "broker/broker.hpp"
#include "model/record.hpp"

namespace quarq::clients {

struct cancelled_end {
  model::outcome what;
  std::optional<model::milliseconds> keep;  ///< nothing: for ever
};

/// `job` has not ended.
cancelled_end end_if_cancelled(const broker::job_details& job);

awaitable<broker::cancel_result> cancel(std::shared_ptr<broker::broker> broker, std::string queue,
                                        std::string id);

}  // namespace quarq::clients
