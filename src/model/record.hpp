// The two documents that brokers store for jobs without reading them: a job's record and an ended job's
// outcome (docs/payload.md). Both are msgpack maps; unknown keys are ignored, so that later versions may add
// keys.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/retention.hpp>
#include <quarq/retry.hpp>

namespace quarq::model {

using milliseconds = std::chrono::milliseconds;

/// The longest delay, timeout, pause or retention: a hundred years. Longer than anybody needs, and far from
/// overflowing any clock that it is added to.
inline constexpr milliseconds max_time = std::chrono::hours(24 * 365 * 100);

/// A call as it is stored. `arguments` is a msgpack array, kept encoded; `keywords` a map from parameters'
/// names to the arguments that were given by name, empty if there are none.
struct record {
  std::string task;
  std::string arguments;
  std::string keywords;
  std::optional<milliseconds> timeout;
  std::optional<int> max_attempts;
  std::optional<retry_policy> backoff;
  std::optional<retention> keep_result;
  std::string after;  ///< of a cron job's run: the id of the run before it, if that is known
  /// The caller awaits the answer. No attempt runs past the job's expiry; and an exception of the handler is
  /// the answer, unless `max_attempts` or `backoff` is set.
  bool awaited = false;
};

std::string encode(const record& r);
/// Throws decode_error that begins with "job payload: ".
record decode_record(std::string_view encoded);

/// How a job ended. `result` is one encoded msgpack value; empty unless it succeeded.
struct outcome {
  std::string task;
  int attempts = 0;  ///< how often it was started
  std::string worker;
  std::int64_t enqueued_ms = 0, started_ms = 0, finished_ms = 0;  ///< Unix time by the broker's clock
  std::string result;
  std::string error_type, error;
  std::string after;  ///< of a cron job's run that was skipped: the id of the run it would have overlapped
};

std::string encode(const outcome& o);
/// Throws decode_error that begins with "job outcome: ".
outcome decode_outcome(std::string_view encoded);

}  // namespace quarq::model
