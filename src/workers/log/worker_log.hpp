// What a worker says of itself and of its jobs, in the words that the readers of its log know: quarq's own,
// or arq's where jobs are kept as arq does. What arq has no words for is logged where it happens.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/errors.hpp>

#include "broker/broker.hpp"
#include "model/retry_decision.hpp"

namespace quarq::workers {

/// The worker when it starts. Views, good for one call, here and in the next ones.
struct logged_worker {
  std::string_view name;
  std::string url;  ///< without its password
  std::span<const std::string> queues;
  std::span<const std::string> tasks;  ///< as they were registered, cron jobs last
  std::size_t concurrency = 0;
};

/// A job and its try.
struct logged_job {
  std::string_view id;
  std::string_view task;  ///< empty: its record can't be read
  bool is_cron = false;
  int attempts = 1;
  int max_attempts = 1;
  model::milliseconds age{0};     ///< from its enqueueing to the start of this try
  model::milliseconds waited{0};  ///< from when it was due first to the start of this try
  std::chrono::microseconds ran{0};
  std::string_view arguments;  ///< a msgpack array
  std::size_t by_position = std::string_view::npos;
  std::span<const std::string> names;  ///< of the parameters, if they are known
};

/// How many tries ended how.
struct tally {
  std::size_t complete = 0, failed = 0, retried = 0;
};

/// The worker when it is to stop.
struct logged_stop {
  std::string_view name;
  std::string_view asked_by;  ///< "SIGTERM", "stop()"; empty: nobody, its work was done
  tally ended;
  std::size_t done = 0;  ///< jobs that ended here
  std::size_t running = 0;
  bool at_once = false;  ///< it was asked twice
  model::milliseconds grace{0};
};

class worker_log {
 public:
  virtual ~worker_log() = default;

  /// How a worker's program writes a line, as spdlog's pattern.
  virtual const char* line_pattern() const noexcept = 0;

  /// Before on_startup; `server`: broker::about_server().
  virtual void starting(const logged_worker&, std::string_view /*server*/) const {}
  virtual void serving(const logged_worker&) const {}

  virtual void started(const logged_job& job) const = 0;
  /// How a try ended, or why there was none. `result`: one msgpack value; nothing if it is not to be shown.
  void ended(const logged_job& job, const model::attempt& a, const model::decision& v,
             std::optional<std::string_view> result) const;
  /// Its handler does not end, and the worker does.
  virtual void left_running(const logged_job& job) const = 0;
  /// It was claimed, and had been cancelled before.
  virtual void aborted_unstarted(const logged_job& job) const = 0;

  virtual void stopping(const logged_stop& stop) const = 0;
  /// Running jobs have ended, or their time has.
  virtual void grace_over(const logged_stop&) const {}
  virtual void stopped(const logged_stop&) const {}

 protected:
  virtual void finished(const logged_job& job, std::optional<std::string_view> result) const = 0;
  virtual void retried(const logged_job& job, const model::attempt& a, model::milliseconds pause) const = 0;
  virtual void returned(const logged_job& job) const = 0;
  virtual void failed(const logged_job& job, const model::attempt& a, job_state state) const = 0;
};

/// How long arguments and results are in the log, in characters or bytes.
inline constexpr std::size_t max_shown = 80;

/// What `write` makes of encoded data; why it can't, where that is broken.
template <class Write>
std::string shown_by(Write write) {
  try {
    return write();
  } catch (const decode_error& e) {
    return std::string("<") + e.what() + ">";
  }
}

std::unique_ptr<worker_log> make_worker_log(broker::log_style style);

}  // namespace quarq::workers
