// The way of a job over a thread, without a turn of the loop between two jobs of one thread. Where hooks come
// before the function, jobs go the longer way (waiting_line).
#include <algorithm>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/detail/context_access.hpp>

#include "workers/attempt_result.hpp"
#include "workers/job_runner.hpp"

namespace quarq::workers {

using model::attempt;
using model::stop_reason;

// Without a coroutine: nothing is to be waited for but the thread.
bool job_runner::goes_straight_to_threads(const running_job& job) const {
  return job.how && job.how->on_thread && has_no_steps_before_the_call(job);
}

bool job_runner::has_no_steps_before_the_call(const running_job& job) const {
  if (its_.setup.before_job || says_begin(job)) return false;
  return its_.setup.crons.empty() || !its_.setup.crons.contains(job.record.task);
}

void job_runner::line_up(running_job& job) {
  if (job.stopped != stop_reason::none) {
    conclude(job, never_called(), {});
    return;
  }
  job.is_on_threads = true;
  job.waits_since = its_.time.now();
  model::context_access::set_arguments(job.ctx, job.record.arguments);
  deadlines_.set(job, time_to_wait(job));
  threads_->add(job, latest_start(job));
}

// A renewed lease may allow a later one: a job that comes back for that reason is looked at again.
clock::time_point job_runner::latest_start(const running_job& job) const {
  auto latest = job.from.sure_until;
  if (can_expire(job))
    latest = std::min(latest, its_.time.now() + (*job.claimed.expires_at - broker_now(job)));
  return latest;
}

void job_runner::began_on_thread(running_job& job) {
  job.waits_since.reset();
  note_start(job, job.thread.began);
}

void job_runner::back_from_thread(running_job& job) {
  job.is_on_threads = false;
  if (!job.thread.has_begun && !job.settled && may_begin(job)) {
    line_up(job);
    return;
  }
  attempt a;
  if (!job.thread.has_begun) {
    a = never_called();
  } else if (job.thread.thrown) {
    a = classify(job.thread.thrown);
  }
  if (job.thread.has_begun) job.ended = job.thread.ended;
  its_.slots.set_ahead(level::thread, threads_->ahead());
  conclude(job, std::move(a), std::move(job.thread.result));
}

attempt job_runner::never_called() {
  return classify(std::make_exception_ptr(
      boost::system::system_error(boost::asio::error::operation_aborted, "stopped before it began")));
}

void job_runner::conclude(running_job& job, attempt a, std::string result) {
  leave_turn(job);
  if (has_end_hooks()) {
    spawn(job, end_attempt(job, std::move(a), std::move(result)));
  } else {
    record_end(job, std::move(a), std::move(result));
    ended(job);
  }
}

}  // namespace quarq::workers
