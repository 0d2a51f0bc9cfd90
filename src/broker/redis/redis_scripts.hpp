// The broker's Lua scripts, as the connection takes them, and the names and bytes they share with C++.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.hpp"
#include "redis/connection.hpp"

namespace quarq::broker::redis {

/// One for each .lua file of this folder that is not shared_*.lua; what it does is said there.
struct redis_scripts {
  redis_scripts();
  std::vector<const quarq::redis::script*> all() const;

  quarq::redis::script enqueue, claim, settle, renew, close_lease, reconcile;
  quarq::redis::script wait, cancel, inspect, list, requeue, purge, workers, summary;
};

/// The one set of scripts of the process. Thread-safe.
const redis_scripts& scripts();

/// "quarq:{queue}:", with which all keys of the queue begin. The braces make them share a slot of a Cluster;
/// %, { and } in the name become %25, %7B and %7D. Throws usage_error for an empty name.
std::string key_prefix(std::string_view queue);

/// Jobs or settlements that one script call takes at most, so that it keeps the server for milliseconds only,
/// and their bytes.
inline constexpr std::size_t max_concurrency = 1000;
inline constexpr std::size_t max_bytes_at_once = 16u << 20;

/// The settlements, by their places in the batch, that each call of settle.lua is to take. A job that is
/// there twice is taken only once: who settles it again does not hold it any more.
std::vector<std::vector<std::size_t>> settle_parts(const std::vector<settlement>& batch);

/// What renew.lua is told of a lease; `open` is "1" or "0".
std::vector<std::string> renewal_words(const lease& held, const lease_terms& terms, const char* open);

/// For how many ms a script is to keep an outcome; -1: for ever.
std::int64_t keep_number(std::optional<milliseconds> keep);

// ---- the bytes (struct.pack and struct.unpack in the scripts)

/// What enqueue.lua is told of a job besides its id and record.
std::string pack_terms(const new_job& job);
/// What settle.lua is told of a job besides its id and outcome.
std::string pack_settlement(const settlement& one);
/// What cancel.lua is told of a job's end.
std::string pack_end(std::optional<milliseconds> keep, std::string_view outcome);

/// What stands before the record in the hash of jobs: 25 bytes.
struct job_header {
  time_point enqueued_at, due_at;
  std::optional<time_point> expires_at;
  int priority = 5;
};
inline constexpr std::size_t job_header_size = 25;
/// Throws broker_error if there is less than a header.
job_header read_header(std::string_view stored);

char state_digit(job_state state);
/// Throws broker_error for anything but the digit of a state.
job_state state_of_digit(char digit);

}  // namespace quarq::broker::redis
