// A queue: where calls are sent to become jobs.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/call.hpp>
#include <quarq/context.hpp>
#include <quarq/detail/enqueue.hpp>
#include <quarq/errors.hpp>
#include <quarq/job.hpp>
#include <quarq/job_filter.hpp>
#include <quarq/job_info.hpp>
#include <quarq/job_list.hpp>
#include <quarq/queue_stats.hpp>
#include <quarq/task.hpp>

namespace quarq {

/// The environment variable QUARQ_BROKER, or "sqlite:jobs.db" without it.
std::string default_broker_url();

namespace detail {

/// `parents`: see enqueue(); may be null.
template <class R>
awaitable<job<R>> enqueue_one(std::shared_ptr<clients::queue_impl> queue, call<R> c,
                              std::shared_ptr<clients::child_jobs> parents) {
  std::vector<call_data> calls;
  calls.push_back(call_access::take(std::move(c)));
  auto sent = co_await enqueue(queue, std::move(calls), std::move(parents));
  auto& only = sent.front();
  if (!only.accepted) throw duplicate_job(std::move(only.id));
  co_return job<R>(job_handle(std::move(queue), std::move(only.id)));
}

template <class R>
awaitable<std::vector<std::optional<job<R>>>> enqueue_all(std::shared_ptr<clients::queue_impl> queue,
                                                          std::vector<call<R>> calls,
                                                          std::shared_ptr<clients::child_jobs> parents) {
  std::vector<call_data> untyped;
  untyped.reserve(calls.size());
  for (auto& c : calls) untyped.push_back(call_access::take(std::move(c)));
  auto sent = co_await enqueue(queue, std::move(untyped), std::move(parents));
  std::vector<std::optional<job<R>>> jobs(sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (sent[i].accepted) jobs[i].emplace(job_handle(queue, std::move(sent[i].id)));
  }
  co_return jobs;
}

}  // namespace detail

/// A queue of jobs at a broker, which is opened by the first use. Cheap to copy; copies share one connection.
///
/// Belongs to the loop on which it is first used; on another loop it throws std::logic_error (give each loop
/// a queue of its own). It may outlive that loop, and may then be used on the next one. Not thread-safe.
///
/// A queue for which no call is under way gives its loop nothing to do: on a loop of your own run() returns, at most a
/// moment (30 ms) later, and the queue's connection stays open for the next call.
class queue {
 public:
  /// `broker`: sqlite:FILE, sqlite::memory:, redis://..., rediss://..., redis+unix://...,
  /// redis+sentinel://..., or arq in place of redis; throws usage_error for any other URL.
  /// `name`: 1 to 100 characters, no white space, no braces.
  explicit queue(std::string broker = default_broker_url(), std::string name = "default");

  const std::string& name() const noexcept;
  const std::string& broker_url() const noexcept;

  /// Closes the connection that copies share, when the calls under way have ended; the next call opens another, on
  /// whatever loop. To be called on the queue's loop, or while that does not run.
  void close();

  /// Sends the call. When this returns the job is stored and will run at least once. Throws duplicate_job if
  /// its id is taken, usage_error if an option is out of range, broker_error if the broker can't be
  /// reached.
  template <class R>
  [[QUARQ_MUST_AWAIT]] awaitable<job<R>> enqueue(call<R> c) const {
    return detail::enqueue_one(impl_, std::move(c), {});
  }

  /// Sends all calls together. Returns their jobs in the order of `calls`; nullopt where an id was taken.
  /// Throws usage_error as above, and then none is stored.
  ///
  /// They are stored in one step: all or none, also if this program dies meanwhile. On Redis that holds for
  /// up to 1,000 calls and 16 MiB of arguments; more go in several such steps, which do not wait for each
  /// other. If broker_error is thrown, some of them may have been done and others not: give such calls ids,
  /// and send all of them again.
  template <class R>
  [[QUARQ_MUST_AWAIT]] awaitable<std::vector<std::optional<job<R>>>> enqueue(
      std::vector<call<R>> calls) const {
    return detail::enqueue_all(impl_, std::move(calls), {});
  }

  /// A handle to a job that was enqueued elsewhere. Does not ask the broker whether it exists.
  template <class R>
  job<R> find(std::string id) const {
    return job<R>(detail::job_handle(impl_, std::move(id)));
  }

  /// Requests cancellation of all these jobs, as job::cancel() does, many at a time. Returns what became of each, in
  /// their order. Throws broker_error if the broker can't be reached; some may have been cancelled then, and the call
  /// may be repeated.
  awaitable<std::vector<cancel_outcome>> cancel(std::vector<std::string> ids) const {
    return detail::cancel(impl_, std::move(ids));
  }
  template <class R>
  awaitable<std::vector<cancel_outcome>> cancel(const std::vector<job<R>>& jobs) const {
    std::vector<std::string> ids;
    ids.reserve(jobs.size());
    for (const auto& one : jobs) ids.push_back(one.id());
    return detail::cancel(impl_, std::move(ids));
  }

  /// Requests cancellation of all queued, deferred and running jobs that the filter means:
  ///
  ///     co_await mails.cancel(job_filter{.state = job_state::queued, .task = "send_mail"});
  ///
  /// They are looked through page by page, so that nobody waits long for it, however many there are. Jobs that are
  /// enqueued, handed back or put off for a retry meanwhile may be among them or not. Throws usage_error for a
  /// state of ended jobs, broker_error if the broker can't be reached; some may have been cancelled then.
  [[QUARQ_MUST_AWAIT]] awaitable<cancelled_jobs> cancel(job_filter which) const {
    return detail::cancel(impl_, which);
  }

  /// Sends all dead jobs again that the filter means, with all their attempts. Returns how many there were. Throws
  /// as above.
  [[QUARQ_MUST_AWAIT]] awaitable<std::size_t> requeue(job_filter which) const {
    return detail::requeue(impl_, which);
  }

  /// Forgets all jobs that the filter means, which must name states, and not `running`. Their waiters are told that
  /// there is no such job. Returns how many there were. In steps, as cancel(). Throws usage_error, broker_error.
  [[QUARQ_MUST_AWAIT]] awaitable<std::size_t> purge(job_filter which) const {
    return detail::purge(impl_, which);
  }

  /// Some of the jobs that the filter means, and where to go on. No call looks at more than `scan_limit` jobs, nor
  /// holds the store up for long: where few jobs match, it may return fewer than `limit`, or none, and say how
  /// far it has come.
  ///
  ///     list_options how{.limit = 50};
  ///     const auto page = co_await mails.list(job_filter{.task = "send_mail"}, how);
  ///
  /// A job that does not change its state from the first call to the last is found exactly once, however many jobs
  /// workers take and finish meanwhile. One that does may be found in both states, or in none. Throws
  /// usage_error for a `from` of something else, broker_error.
  [[QUARQ_MUST_AWAIT]] awaitable<job_list> list(job_filter which, list_options how = {}) const {
    return detail::list(impl_, which, how);
  }

  /// Counts the jobs that the filter means: those among the next `scan_limit` ones; `limit` does not matter. Throws as
  /// list().
  [[QUARQ_MUST_AWAIT]] awaitable<job_count> count(job_filter which, list_options how = {}) const {
    return detail::count(impl_, which, how);
  }

  /// What happened in these minutes, in their order, and in each by task; minutes and tasks without any are absent.
  /// Workers report each second or two. Kept for 72 hours (stats_kept), by quarq's clients and workers alone.
  /// `step`: whole minutes that are counted together, from `from` on. Throws broker_error.
  [[QUARQ_MUST_AWAIT]] awaitable<std::vector<task_minute>> stats(
      std::chrono::system_clock::time_point from, std::chrono::system_clock::time_point until,
      std::chrono::minutes step = std::chrono::minutes(1)) const {
    return detail::stats(impl_, from, until, step);
  }

  /// From now on no worker gets a job of this queue, until resume(): jobs are stored and become due, and those
  /// that run go on. The broker keeps that, also over its restarts, and whoever may write there may change it.
  /// Returns false if the queue was paused already.
  ///
  /// On arq:// it is not for Python's workers, which do not know of it.
  [[QUARQ_MUST_AWAIT]] awaitable<bool> pause() const { return detail::set_paused(impl_, true); }
  /// Returns false if the queue was not paused.
  [[QUARQ_MUST_AWAIT]] awaitable<bool> resume() const { return detail::set_paused(impl_, false); }
  awaitable<bool> is_paused() const { return detail::is_paused(impl_); }

  /// From now on the planned runs of this cron job, whose queue this is, are skipped: each ends as cancelled at its
  /// time. A run that has begun goes on, and a run that is enqueued by hand takes place. The broker keeps that until
  /// resume_cron(), also while no worker knows such a cron job. Returns false if it was paused already. Throws
  /// usage_error for what can't be a name, broker_error.
  [[QUARQ_MUST_AWAIT]] awaitable<bool> pause_cron(std::string name) const {
    return detail::set_cron_paused(impl_, std::move(name), true);
  }
  /// Returns false if it was not paused.
  [[QUARQ_MUST_AWAIT]] awaitable<bool> resume_cron(std::string name) const {
    return detail::set_cron_paused(impl_, std::move(name), false);
  }
  /// The names of those that are paused, in order.
  awaitable<std::vector<std::string>> paused_crons() const { return detail::paused_crons(impl_); }

 private:
  friend struct detail::queue_access;
  explicit queue(std::shared_ptr<clients::queue_impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<clients::queue_impl> impl_;
};

template <class R>
auto context::enqueue(call<R> c, enqueue_options how) {
  limit(detail::call_access::options(c));
  return detail::enqueue_one(open_queue(how.queue), std::move(c), children(how));
}

template <class R>
auto context::enqueue(std::vector<call<R>> calls, enqueue_options how) {
  for (auto& c : calls) limit(detail::call_access::options(c));
  return detail::enqueue_all(open_queue(how.queue), std::move(calls), children(how));
}

}  // namespace quarq
