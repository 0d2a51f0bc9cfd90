// Where a job is that is not where it was looked for.
#pragma once

#include <string>
#include <vector>

#include <quarq/awaitable.hpp>

#include "cli/command.hpp"

namespace quarq::cli {

/// The queues other than this one that have a job with this id. Ids that quarq made are in one queue only;
/// those that callers chose may be in several.
awaitable<std::vector<std::string>> other_queues_with(broker_ptr broker, std::string queue, std::string id);

/// "queue mails", "queues mails, reports".
std::string named(const std::vector<std::string>& queues);

}  // namespace quarq::cli
