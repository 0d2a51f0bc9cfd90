// What a worker has written about itself into its lease.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/broker.hpp"

namespace quarq::clients {

/// A running job that waits for another one, and for how many more.
struct job_wait_info {
  std::string id, awaited;
  std::uint64_t more = 0;
};

struct worker_info {
  std::string worker;
  std::optional<std::uint64_t> done, concurrency, waiting;
  std::vector<job_wait_info> waits;  ///< of some of its jobs
};

/// Never throws: other programs may have written it. What can't be read stays empty.
worker_info read_worker_info(std::string_view encoded);

/// Lease tokens -> workers' names.
using worker_names = std::unordered_map<std::string, std::string>;
/// Which job the one with this id waits for, as far as its worker has said: "01..."; "01... and 3 more". Empty: none.
std::string awaited_by(const std::string& id, const std::vector<broker::worker_summary>& workers);
worker_names names_of(const std::vector<broker::worker_summary>& workers);

}  // namespace quarq::clients
