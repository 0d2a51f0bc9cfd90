#include "workers/log/log_end.hpp"

#include <string>

#include "workers/log/printable_job.hpp"

namespace quarq::workers {
namespace {

using broker::logged_error;

/// An error as it can be logged; its views are those of the attempt or of this.
struct printable_error {
  explicit printable_error(const model::attempt& a);
  logged_error error;
  std::string type, message;
};

printable_error::printable_error(const model::attempt& a) {
  error.type = shown(a.error_type, max_logged_error, type);
  error.message = shown(a.error, max_logged_error, message);
  if (a.result == model::attempt::result_kind::unknown_task) {
    error.why = logged_error::kind::unknown_task;
  } else if (a.result == model::attempt::result_kind::exhausted) {
    error.why = logged_error::kind::attempts_exhausted;
  } else if (a.pause) {
    error.why = logged_error::kind::retry_requested;
  }
}

}  // namespace

void log_end(const broker::worker_log_format& log, const broker::logged_job& job, const model::attempt& a,
             const model::decision& v, std::optional<std::string_view> result) {
  switch (v.state) {
    case job_state::succeeded:
      return log.finished(job, result);
    case job_state::deferred:
      return log.retried(job, printable_error(a).error, v.pause);
    case job_state::queued:
      return log.handed_back(job);
    default:
      return log.failed(job, printable_error(a).error, v.state);
  }
}

}  // namespace quarq::workers
