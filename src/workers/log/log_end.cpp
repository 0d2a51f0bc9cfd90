#include "workers/log/log_end.hpp"

namespace quarq::workers {
namespace {

using broker::logged_error;

logged_error error_of(const model::attempt& a) {
  logged_error error;
  error.type = a.error_type;
  error.message = a.error;
  if (a.result == model::attempt::result_kind::unknown_task) {
    error.why = logged_error::kind::unknown_task;
  } else if (a.result == model::attempt::result_kind::exhausted) {
    error.why = logged_error::kind::attempts_exhausted;
  } else if (a.pause) {
    error.why = logged_error::kind::retry_requested;
  }
  return error;
}

}  // namespace

void log_end(const broker::worker_log_format& log, const broker::logged_job& job, const model::attempt& a,
             const model::decision& v, std::optional<std::string_view> result) {
  switch (v.state) {
    case job_state::succeeded:
      return log.finished(job, result);
    case job_state::deferred:
      return log.retried(job, error_of(a), v.pause);
    case job_state::queued:
      return log.handed_back(job);
    default:
      return log.failed(job, error_of(a), v.state);
  }
}

}  // namespace quarq::workers
