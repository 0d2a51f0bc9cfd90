// How a job failed: in quarq's words, and in those that arq's users know.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <quarq/job_state.hpp>

namespace quarq::broker::arq {

struct our_error {
  job_state state = job_state::failed;
  std::string type;  ///< as in outcomes: "quarq::timed_out", "ValueError"
  std::string message;
};

struct failed_job {
  job_state state = job_state::failed;
  bool readable = true;  ///< false: nobody could read the call
  std::string_view task;
  std::int64_t attempts = 0;
  std::string_view type, message;  ///< as in the outcome
};

/// For pickle_writer::exception. An empty type: the message alone, as text.
struct python_error {
  std::string type;
  std::string message;

  /// For codecs without exceptions: "TypeError: count_words: expected 1 argument, got 2".
  std::string as_text() const;
};

/// Failures that arq's worker detects are in arq's words: JobExecutionFailed("job expired").
python_error python_error_of(const failed_job& job);

/// Of a failure that an arq worker wrote: `result` is its exception as pickle_reader writes it, or what
/// stands there instead, one msgpack value.
our_error our_error_of(std::string_view result, std::string_view task);

}  // namespace quarq::broker::arq
