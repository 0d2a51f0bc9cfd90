// What quarq top shows, as lines. No I/O.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <quarq/queue_stats.hpp>

#include "cli/screen.hpp"
#include "cli/text.hpp"
#include "dashboard/views.hpp"

namespace quarq::cli {

enum class queue_order { name, queued, oldest };

/// What is known.
struct top_data {
  std::string broker;  ///< its URL, without the password
  time_point at;
  dashboard::overview_view overview;
  std::map<std::string, task_stats> recent;  ///< in rates.hpp's rate_time, of queues
  std::vector<dashboard::worker_view> workers;
  std::map<std::string, dashboard::errors_view> errors;  ///< of queues whose dead jobs are to be shown
};

/// What the user has chosen.
struct top_choice {
  queue_order order = queue_order::name;
  std::string queue;   ///< empty: none
  std::string notice;  ///< a question, or what came of it
};

/// The queues in that order.
std::vector<dashboard::queue_view> in_order(const top_data& data, queue_order order);

/// nullopt: as much as there is, without what is for keys.
std::vector<screen_line> picture(const top_data& data, const top_choice& choice,
                                 std::optional<base::terminal_size> size);

}  // namespace quarq::cli
