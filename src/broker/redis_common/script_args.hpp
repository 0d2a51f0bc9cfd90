// Arguments of scripts that both Redis layouts have, and the limits of one call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.hpp"
#include "broker/redis_common/byte_limits.hpp"

namespace quarq::broker::redis_common {

/// How many jobs or settlements one script call takes at most, and how many bytes of them, so that it blocks
/// the server for milliseconds only.
inline constexpr std::size_t max_jobs_per_call = 1000;
inline constexpr std::size_t max_bytes_per_call = 16u << 20;

/// The settlements, as indices into the batch, that each call of settle.lua takes. A job that is in the batch
/// twice is taken once: after its first settlement it is no longer held. One with an outcome larger than
/// max_shared_payload is taken alone, after all others. `sizes`: how many bytes each settlement's outcome has
/// where it is stored as something else.
std::vector<std::vector<std::size_t>> split_settlements(const std::vector<settlement>& batch,
                                                        const std::vector<std::size_t>& sizes);
std::vector<std::vector<std::size_t>> split_settlements(const std::vector<settlement>& batch);

/// Throws usage_error if no server would store a record of so many bytes.
void check_record_size(std::string_view id, std::size_t bytes, std::size_t limit = max_stored_payload);
void check_sizes(const std::vector<new_job>& jobs, std::size_t limit = max_stored_payload);
/// Throws broker_error, with the reason that it is refused, if no server would store an outcome of so many
/// bytes.
void check_outcome_size(std::string_view id, std::size_t bytes, std::size_t limit = max_stored_payload);
void check_sizes(const std::vector<settlement>& batch, std::size_t limit = max_stored_payload);

/// Appends up to `most` of the ids, from the index `first` on.
void append_some(std::vector<std::string>& args, const std::vector<std::string>& ids, std::size_t first,
                 std::size_t most);

/// How many ms a script keeps an outcome; -1: forever.
std::int64_t keep_number(std::optional<milliseconds> keep);

}  // namespace quarq::broker::redis_common
