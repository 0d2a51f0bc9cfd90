// What has happened in a queue lately.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <quarq/awaitable.hpp>
#include <quarq/queue_stats.hpp>

#include "broker/broker.hpp"

namespace quarq::clients {

/// In the minute that is under way, by this machine's clock, and those before it: so many in all.
awaitable<task_stats> recent_stats(std::shared_ptr<broker::broker> store, std::string queue,
                                   std::chrono::minutes last);

}  // namespace quarq::clients
