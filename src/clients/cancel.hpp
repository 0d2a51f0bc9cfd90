// Cancels a job, and writes the outcome of one that no worker ends.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <quarq/awaitable.hpp>

#include "broker/broker.hpp"
#include "model/record.hpp"

namespace quarq::clients {

struct cancelled_end {
  model::outcome what;
  std::optional<model::milliseconds> keep;  ///< nullopt: forever
};

/// How `job`, which has not ended, ends if it is cancelled before it runs (again), or if its worker does not
/// answer.
cancelled_end end_if_cancelled(const broker::job_details& job);

awaitable<broker::cancel_result> cancel(std::shared_ptr<broker::broker> broker, std::string queue,
                                        std::string id);
/// The same for many, some of them at once. The answers are in the order of `ids`.
awaitable<std::vector<broker::cancel_result>> cancel(std::shared_ptr<broker::broker> broker,
                                                     std::string queue, std::vector<std::string> ids);

/// The same for jobs of which the details are known.
awaitable<std::vector<broker::cancel_result>> cancel(std::shared_ptr<broker::broker> broker,
                                                     std::string queue,
                                                     const std::vector<broker::job_details>& jobs);

}  // namespace quarq::clients
