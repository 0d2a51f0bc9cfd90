#include "broker/redis_common/script_args.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include <quarq/errors.hpp>

namespace quarq::broker::redis_common {

namespace {

/// Which ids of a batch have come: a hash table with open addressing, in one piece of memory.
class ids_that_came {
 public:
  explicit ids_that_came(const std::vector<settlement>& batch)
      : batch_(batch), places_(std::bit_ceil(2 * batch.size() + 1)) {}

  /// False: the id of the i-th has come before.
  bool add(std::size_t i) {
    const std::string_view id = batch_[i].id;
    auto at = std::hash<std::string_view>()(id) & (places_.size() - 1);
    for (; places_[at] != 0; at = (at + 1) & (places_.size() - 1)) {
      if (batch_[places_[at] - 1].id == id) return false;
    }
    places_[at] = i + 1;
    return true;
  }

 private:
  const std::vector<settlement>& batch_;
  std::vector<std::size_t> places_;  ///< 1 and the index of what stands there; 0: nothing
};

}  // namespace

std::vector<std::vector<std::size_t>> split_settlements(const std::vector<settlement>& batch,
                                                        const std::vector<std::size_t>& sizes) {
  std::vector<std::vector<std::size_t>> parts, large;
  ids_that_came seen(batch);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!seen.add(i)) continue;
    const auto more = batch[i].id.size() + sizes[i];
    if (sizes[i] > max_shared_payload) {
      large.emplace_back(1, i);
      continue;
    }
    if (parts.empty() || parts.back().size() == max_jobs_per_call || bytes + more > max_bytes_per_call) {
      parts.emplace_back().reserve(std::min(batch.size() - i, max_jobs_per_call));
      bytes = 0;
    }
    parts.back().push_back(i);
    bytes += more;
  }
  parts.insert(parts.end(), std::make_move_iterator(large.begin()), std::make_move_iterator(large.end()));
  return parts;
}

std::vector<std::vector<std::size_t>> split_settlements(const std::vector<settlement>& batch) {
  std::vector<std::size_t> sizes;
  sizes.reserve(batch.size());
  for (const auto& one : batch) sizes.push_back(one.outcome.size());
  return split_settlements(batch, sizes);
}

void check_record_size(std::string_view id, std::size_t bytes, std::size_t limit) {
  if (bytes <= limit) return;
  throw usage_error(
      fmt::format("the record of job \"{}\" has {} bytes; Redis stores at most {}", id, bytes, limit));
}

void check_sizes(const std::vector<new_job>& jobs, std::size_t limit) {
  for (const auto& job : jobs) check_record_size(job.id, job.record.size(), limit);
}

void check_outcome_size(std::string_view id, std::size_t bytes, std::size_t limit) {
  if (bytes <= limit) return;
  throw broker_error(
      fmt::format("the outcome of job \"{}\" has {} bytes; Redis stores at most {}", id, bytes, limit),
      broker_error::reason::refused);
}

void check_sizes(const std::vector<settlement>& batch, std::size_t limit) {
  for (const auto& one : batch) check_outcome_size(one.id, one.outcome.size(), limit);
}

void append_some(std::vector<std::string>& args, const std::vector<std::string>& ids, std::size_t first,
                 std::size_t most) {
  const auto last = std::min(ids.size(), first + most);
  for (auto i = first; i < last; ++i) args.push_back(ids[i]);
}

std::int64_t keep_number(std::optional<milliseconds> keep) {
  return keep ? std::max<std::int64_t>(0, keep->count()) : -1;
}

}  // namespace quarq::broker::redis_common
