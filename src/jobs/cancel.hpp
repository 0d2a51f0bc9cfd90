// Cancelling a job: what is recorded of it should no worker have a say in its end.
#pragma once

#include <memory>
#include <string>

#include <quarq/awaitable.hpp>

#include "broker/broker.hpp"

namespace quarq::jobs {

awaitable<broker::cancel_result> cancel(std::shared_ptr<broker::broker> broker, std::string queue,
                                        std::string id);

}  // namespace quarq::jobs
