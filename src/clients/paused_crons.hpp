// Cron jobs that are paused: their planned runs are skipped until they are resumed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/awaitable.hpp>

#include "broker/broker.hpp"

namespace quarq::clients {

/// Throws usage_error for what can't be the name of a cron job.
void check_cron_name(std::string_view name);

/// Whether that changed anything. Throws usage_error for such a name. `queue`: that of its runs.
awaitable<bool> set_cron_paused(std::shared_ptr<broker::broker> store, std::string queue, std::string name,
                                bool paused);
/// Their names, in order.
awaitable<std::vector<std::string>> paused_crons(broker::broker& store, std::string queue);

}  // namespace quarq::clients
