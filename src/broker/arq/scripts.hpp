// The broker's Lua scripts, as the connection takes them, and their arguments about jobs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/arq/embedded.hpp"
#include "broker/broker.hpp"
#include "broker/redis_common/script_loader.hpp"

namespace quarq::broker::arq {

/// Each .lua file of this folder that is not shared_*.lua; the file documents itself.
struct arq_scripts : redis_common::script_set {
  arq_scripts();

  const script& enqueue = add(enqueue_lua);
  const script& claim = add(claim_lua);
  const script& set_attempts = add(set_attempts_lua);
  const script& settle = add(settle_lua);
  const script& open_lease = add(open_lease_lua);
  const script& renew = add(renew_lua);
  const script& health = add(health_lua);
  const script& poll = add(poll_lua);
  const script& close_lease = add(close_lease_lua);
  const script& reconcile = add(reconcile_lua);
  const script& wait = add(wait_lua);
  const script& cancel = add(cancel_lua);
  const script& inspect = add(inspect_lua);
  const script& list = add(list_lua);
  const script& pause = add(pause_lua);
  const script& keep_notes = add(keep_notes_lua);
  const script& set_mark = add(set_mark_lua);
  const script& results = add(results_lua);
  const script& requeue = add(requeue_lua);
  const script& purge = add(purge_lua);
  const script& purge_named = add(purge_named_lua);
  const script& add_stats = add(add_stats_lua);
  const script& stats = add(stats_lua);
  const script& workers = add(workers_lua);
  const script& summary = add(summary_lua);
};

/// The one set of scripts of the process. Thread-safe.
const arq_scripts& scripts();

/// The options of a job for enqueue.lua, besides its id and payload.
std::string enqueue_terms(bool id_is_fresh, milliseconds payload_lives_for, double score);
/// The options of a settlement for settle.lua, besides id and result.
std::string settle_terms(const settlement& one);
/// A cancelled job's end, for cancel.lua.
std::string cancel_end(std::optional<milliseconds> keep, std::string_view result);

}  // namespace quarq::broker::arq
