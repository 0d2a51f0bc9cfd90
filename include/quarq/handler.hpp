// The options of a handler: where it runs, for how long, and what happens when it fails.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <quarq/level.hpp>
#include <quarq/retention.hpp>
#include <quarq/retry.hpp>

namespace quarq {

/// How a worker runs the jobs of one task. A call may override the timeout, retries and retention for its own
/// job.
struct handler_options {
  /// Where the handler runs. nullopt: a coroutine on the worker's loop, a plain function on one of its
  /// threads. A plain function on the loop blocks everything else there; a coroutine on a thread or in a
  /// process has a loop of its own.
  ///
  /// A process has nothing but the job: main() has not run, and the context's state() is empty. A handler
  /// there must be a function or a lambda without captures. Its crash is one failed attempt
  /// (quarq::worker_lost) of one job; when it must stop (timeout, cancel, shutdown), its process is killed.
  std::optional<level> on = std::nullopt;
  /// How long one attempt may take; then it is asked to stop, and has failed with timed_out. nullopt: no
  /// limit.
  std::optional<std::chrono::milliseconds> timeout = std::chrono::minutes(5);
  /// Bytes that a handler in a process may allocate, that process's own few MiB included; beyond them the
  /// attempt fails. For level::process only. nullopt: no limit.
  std::optional<std::uint64_t> memory_limit = std::nullopt;
  retry_policy retry = {};
  /// How long results can be looked up: a duration (0: not at all) or quarq::forever. nullopt: an hour; if the
  /// task returns void, a minute where quarq made the job's id, and not at all where the caller chose it.
  /// Failures are kept for at least an hour.
  std::optional<retention> keep_result = std::nullopt;
  /// Whether what the handler calls and enqueues by its context has the deadline of its own call at most
  /// (context::deadline).
  bool pass_deadline = true;
};

}  // namespace quarq
