// The two documents that brokers store for jobs without reading them: a job's record and an ended job's
// outcome (docs/payload.md). Both are msgpack maps; unknown keys are ignored, so that later versions may add
// keys.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/detail/call_labels.hpp>
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
  std::shared_ptr<const detail::labels> labels;  ///< null: none
};

std::string encode(const record& r);
/// Throws decode_error that begins with "job payload: ".
record decode_record(std::string_view encoded);

/// The labels alone, as a map of the keys that they have in a record.
std::string encode(const detail::labels& some);
/// Throws decode_error.
detail::labels decode_labels(std::string_view encoded);

/// An attempt that failed and was followed by another.
struct earlier_attempt {
  int number = 0;  ///< as outcome::attempts
  std::string worker;
  std::int64_t started_ms = 0, finished_ms = 0;
  std::string error_type, error;
};

/// How much is kept of them: the latest ones, so many at most, of which all texts together have no more bytes than this, and
/// those of each no more than that.
inline constexpr std::size_t max_earlier_attempts = 9;
inline constexpr std::size_t max_earlier_bytes = 8'192;
inline constexpr std::size_t max_earlier_error = 1'024;
inline constexpr std::size_t max_earlier_error_type = 256;

/// How a job ended. `result` is one encoded msgpack value; empty unless it succeeded.
struct outcome {
  std::string task;
  int attempts = 0;  ///< how often it was started
  std::string worker;
  std::int64_t enqueued_ms = 0, started_ms = 0, finished_ms = 0;  ///< Unix time by the broker's clock
  std::string result;
  std::string error_type, error;
  std::string after;  ///< of a cron job's run that was skipped: the id of the run it would have overlapped
  std::vector<earlier_attempt> earlier;  ///< oldest first
  std::string notes;                     ///< encoded job_notes of all attempts; empty: none said anything
};

std::string encode(const outcome& o);
/// Throws decode_error that begins with "job outcome: ".
outcome decode_outcome(std::string_view encoded);

/// Makes the attempt that this outcome of a retry is of, and those before it, the earlier ones of `next`, and what they
/// have said its notes. One that can't be read is left out.
void add_earlier_attempts(outcome& next, std::string_view last_outcome);

}  // namespace quarq::model
