// The broker's Lua scripts, as the connection takes them, and what they are told of jobs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.hpp"
#include "redis/connection.hpp"

namespace quarq::broker::arq {

/// One for each .lua file of this folder that is not shared_*.lua; what it does is said there.
struct arq_scripts {
  arq_scripts();
  std::vector<const quarq::redis::script*> all() const;

  quarq::redis::script enqueue, claim, raise_starts, settle, renew, look, close_lease, reconcile;
  quarq::redis::script wait, cancel, inspect, list, results, requeue, purge, workers, summary;
};

/// The one set of scripts of the process. Thread-safe.
const arq_scripts& scripts();

/// What enqueue.lua is told of a job besides its id and payload.
std::string enqueue_terms(bool id_is_fresh, milliseconds payload_lives_for, double score);
/// What settle.lua is told of a job besides its id and result.
std::string settle_terms(const settlement& one);
/// What cancel.lua is told of a job's end.
std::string cancel_end(std::optional<milliseconds> keep, std::string_view result);

}  // namespace quarq::broker::arq
