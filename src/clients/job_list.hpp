// A part of the jobs that a filter means, and where to go on: queue::list and queue::count.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/job_list.hpp>

#include "broker/broker.hpp"
#include "clients/job_filter.hpp"

namespace quarq::clients {

/// list_options that own what they say.
struct owned_list_options {
  explicit owned_list_options(const list_options& said)
      : limit(said.limit), scan_limit(said.scan_limit), from(said.from) {}

  std::size_t limit, scan_limit;
  std::string from;
  std::vector<job_state>
      order;  ///< in which the filter's states are looked through; empty: that of in_order()
  std::chrono::steady_clock::time_point until =
      std::chrono::steady_clock::time_point::max();  ///< looks at no further page then
  bool wants_total = true;                           ///< else list_progress::total is nullopt
};

/// The jobs as the broker has them.
struct details_list : list_progress {
  std::vector<broker::job_details> jobs;
};

/// `which` names states. Throws usage_error for a `from` of something else.
awaitable<details_list> list_matching(std::shared_ptr<broker::broker> store, std::string queue,
                                      owned_filter which, owned_list_options how);
awaitable<job_count> count_matching(std::shared_ptr<broker::broker> store, std::string queue,
                                    owned_filter which, owned_list_options how);

}  // namespace quarq::clients
