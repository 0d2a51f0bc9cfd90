#include "broker/redis_common/script_args.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_set>

#include <fmt/format.h>

#include <quarq/errors.hpp>

namespace quarq::broker::redis_common {

std::vector<std::vector<std::size_t>> split_settlements(const std::vector<settlement>& batch) {
  std::vector<std::vector<std::size_t>> parts, large;
  std::unordered_set<std::string_view> seen;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!seen.insert(batch[i].id).second) continue;
    const auto more = batch[i].id.size() + batch[i].outcome.size();
    if (batch[i].outcome.size() > max_shared_payload) {
      large.emplace_back(1, i);
      continue;
    }
    if (parts.empty() || parts.back().size() == max_jobs_per_call || bytes + more > max_bytes_per_call) {
      parts.emplace_back();
      bytes = 0;
    }
    parts.back().push_back(i);
    bytes += more;
  }
  parts.insert(parts.end(), std::make_move_iterator(large.begin()), std::make_move_iterator(large.end()));
  return parts;
}

void check_sizes(const std::vector<new_job>& jobs, std::size_t limit) {
  for (const auto& job : jobs) {
    if (job.record.size() <= limit) continue;
    throw usage_error(fmt::format("the record of job \"{}\" has {} bytes; Redis stores at most {}", job.id,
                                  job.record.size(), limit));
  }
}

void check_sizes(const std::vector<settlement>& batch, std::size_t limit) {
  for (const auto& one : batch) {
    if (one.outcome.size() <= limit) continue;
    throw settlement_refused(
        one.id, fmt::format("the outcome of job \"{}\" has {} bytes; Redis stores at most {}", one.id,
                            one.outcome.size(), limit));
  }
}

std::vector<std::string> renewal_args(const lease& held, const lease_options& options, const char* open) {
  return {held.token, std::to_string(options.duration.count()), options.worker_info, open};
}

std::int64_t keep_number(std::optional<milliseconds> keep) {
  return keep ? std::max<std::int64_t>(0, keep->count()) : -1;
}

}  // namespace quarq::broker::redis_common
