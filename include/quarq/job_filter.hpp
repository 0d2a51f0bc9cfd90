// Which jobs of a queue a call is for: by their states, task, error, age, id, arguments and tags.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>

#include <quarq/job_state.hpp>

namespace quarq {

/// A job is meant that meets all that is said here. What the views show is copied by the call that takes the
/// filter. Of an ended job that is not dead only its end is kept: it has neither arguments nor tags to be found by.
struct job_filter {
  using time_point = std::chrono::sys_time<std::chrono::milliseconds>;

  job_states state = {};        ///< none: all that the call can be for
  std::string_view task = {};   ///< empty: any
  std::string_view error = {};  ///< a part of "type: message" of its last failure
  std::optional<std::chrono::milliseconds> older_than =
      std::nullopt;                  ///< enqueued so long ago, by this machine's clock
  std::string_view id_prefix = {};   ///< how its id begins
  std::string_view error_type = {};  ///< the whole type of its last failure: "quarq::timed_out"
  std::string_view text = {};        ///< a part of its arguments as JSON, as job_info shows them
  std::string_view tag = {};         ///< one of its tags
  std::optional<time_point> enqueued_from = std::nullopt;   ///< enqueued at this moment or later
  std::optional<time_point> enqueued_until = std::nullopt;  ///< enqueued before it
};
// So that one may stand in a co_await expression (docs/gcc12.md).
static_assert(std::is_trivially_destructible_v<job_filter>);

/// What cancelling many jobs did.
struct cancelled_jobs {
  std::size_t cancelled = 0;  ///< had not started and never will
  std::size_t requested = 0;  ///< are running; their workers have been told to stop them
};

}  // namespace quarq
