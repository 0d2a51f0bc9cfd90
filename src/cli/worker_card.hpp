// What a worker says of itself in its lease.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/broker.hpp"

namespace quarq::cli {

struct worker_card {
  std::string worker;
  std::optional<std::uint64_t> done, concurrency;
};

/// What can be read of it; nothing here fails, since anybody may have written it.
worker_card read_card(std::string_view card);

/// Lease tokens -> workers' names.
using worker_names = std::unordered_map<std::string, std::string>;
worker_names names_of(const std::vector<broker::worker_summary>& workers);

}  // namespace quarq::cli
