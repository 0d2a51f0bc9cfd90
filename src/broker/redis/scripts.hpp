// The broker's Lua scripts, as the connection takes them, and the names and bytes they share with C++.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/broker.hpp"
#include "broker/redis/embedded.hpp"
#include "broker/redis_common/script_loader.hpp"

namespace quarq::broker::redis {

/// Each .lua file of this folder that is not shared_*.lua; the file documents itself.
struct redis_scripts : redis_common::script_set {
  redis_scripts();

  const script& enqueue = add(enqueue_lua);
  const script& claim = add(claim_lua);
  const script& settle = add(settle_lua);
  const script& open_lease = add(open_lease_lua);
  const script& renew = add(renew_lua);
  const script& close_lease = add(close_lease_lua);
  const script& reconcile = add(reconcile_lua);
  const script& sweep = add(sweep_lua);
  const script& wait = add(wait_lua);
  const script& cancel = add(cancel_lua);
  const script& inspect = add(inspect_lua);
  const script& list = add(list_lua);
  const script& pause = add(pause_lua);
  const script& keep_notes = add(keep_notes_lua);
  const script& set_mark = add(set_mark_lua);
  const script& requeue = add(requeue_lua);
  const script& purge = add(purge_lua);
  const script& purge_named = add(purge_named_lua);
  const script& add_stats = add(add_stats_lua);
  const script& stats = add(stats_lua);
  const script& count = add(count_lua);
  const script& workers = add(workers_lua);
  const script& summary = add(summary_lua);
};

/// The one set of scripts of the process. Thread-safe.
const redis_scripts& scripts();

/// "quarq:{queue}:", with which all keys of the queue begin. The braces make them share a slot of a Cluster;
/// %, { and } in the name become %25, %7B and %7D. Throws usage_error for an empty name.
std::string key_prefix(std::string_view queue);

// ---- the bytes (struct.pack and struct.unpack in the scripts)

/// The options of a job for enqueue.lua, besides its id and record.
std::string pack_options(const new_job& job);
/// The options of a settlement for settle.lua, besides id and outcome.
std::string pack_settlement(const settlement& one);
/// A cancelled job's end, for cancel.lua.
std::string pack_end(std::optional<milliseconds> keep, std::string_view outcome);

/// The header before the record in the hash of jobs: 25 bytes.
struct job_header {
  time_point enqueued_at, due_at;
  std::optional<time_point> expires_at;
  int priority = 5;
};
inline constexpr std::size_t job_header_size = 25;
/// Nothing if there is less than a header: the keys are damaged.
std::optional<job_header> read_header(std::string_view stored);

}  // namespace quarq::broker::redis
