// The tasks of a soak. Each takes a number and returns answer_to(number), so that a result that belongs to
// another job is noticed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <quarq/task.hpp>

namespace quarq::soak {

constexpr std::int64_t answer_to(std::int64_t number) {
  return 3 * number + 1;
}

inline constexpr task<std::int64_t(std::int64_t)> quick{"quick", "number"};
/// A coroutine that waits.
inline constexpr task<std::int64_t(std::int64_t, int)> slow{"slow", "number", "milliseconds"};
/// Fails in its first `failures` attempts.
inline constexpr task<std::int64_t(std::int64_t, int)> retried{"retried", "number", "failures"};
/// A plain function, on a thread of the worker.
inline constexpr task<std::int64_t(std::int64_t, int)> on_thread{"on_thread", "number", "milliseconds"};
/// In a process of the worker. Its runs are not in the journal.
inline constexpr task<std::int64_t(std::int64_t)> in_process{"in_process", "number"};
inline constexpr task<void(std::int64_t)> no_result{"no_result", "number"};

// The beginnings of ids, from which the checker knows what to expect of a job.
inline constexpr std::string_view retried_prefix = "retried-";   ///< runs again after it failed on purpose
inline constexpr std::string_view once_prefix = "once-";         ///< has one attempt
inline constexpr std::string_view cancelled_prefix = "cancel-";  ///< somebody asks to cancel it
inline constexpr std::string_view void_prefix = "void-";         ///< nothing is kept of its end
inline constexpr std::string_view unique_prefix = "unique-";     ///< enqueued again and again, not kept
inline constexpr std::string_view process_prefix = "process-";   ///< runs in a process
inline constexpr std::string_view doomed_prefix = "doomed-";  ///< fails in each attempt; operators requeue it
inline constexpr std::string_view spare_prefix = "spare-";    ///< in spare_queue
inline constexpr std::string_view cron_prefix = "cron:";

inline constexpr const char* main_queue = "default";
/// Operators purge all of it in some state, and cancel in it what they like.
inline constexpr const char* spare_queue = "spare";

/// Of any job of a client.
inline constexpr std::chrono::milliseconds longest_delay{2000};

}  // namespace quarq::soak
