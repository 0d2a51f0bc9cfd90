// What a worker has written about itself into its lease.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/broker.hpp"

namespace quarq::cli {

struct worker_info {
  std::string worker;
  std::optional<std::uint64_t> done, concurrency;
};

/// Never throws: other programs may have written it. What can't be read stays empty.
worker_info read_worker_info(std::string_view encoded);

/// Lease tokens -> workers' names.
using worker_names = std::unordered_map<std::string, std::string>;
worker_names names_of(const std::vector<broker::worker_summary>& workers);

}  // namespace quarq::cli
