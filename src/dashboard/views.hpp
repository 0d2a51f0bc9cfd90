// What the dashboard's API answers, as JSON by these descriptions (docs/dashboard.md). Times are Unix time in milliseconds,
// by the broker's clock. Arguments and results are JSON texts inside JSON, so that numbers reach the page digit by digit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

namespace quarq::dashboard {

using unix_ms = std::int64_t;

struct session_view {
  std::string broker;  ///< its URL, without the password
  std::string version;
  std::string user;
  std::string role;  ///< "viewer" or "operator"
  unix_ms now = 0;
  std::vector<std::string> warnings;  ///< about the store's set-up
};
BOOST_DESCRIBE_STRUCT(session_view, (), (broker, version, user, role, now, warnings))

struct queue_view {
  std::string name;
  std::uint64_t queued = 0, deferred = 0, running = 0, dead = 0, kept = 0, workers = 0;
  bool paused = false;
  std::optional<unix_ms> oldest;  ///< since when the next ready job has waited
  std::string unserved;           ///< why its ready jobs will not run, as far as that is known
};
BOOST_DESCRIBE_STRUCT(queue_view, (),
                      (name, queued, deferred, running, dead, kept, workers, paused, oldest, unserved))

struct overview_view {
  std::vector<queue_view> queues;
  std::uint64_t done = 0;  ///< jobs that have ended since the dashboard began, as far as live workers say
  std::string trouble;     ///< why the broker could not be asked; then the queues are those of before
};
BOOST_DESCRIBE_STRUCT(overview_view, (), (queues, done, trouble))

struct attempt_view {
  int number = 0;
  std::optional<unix_ms> started, finished;
  std::string worker, error_type, error;
};
BOOST_DESCRIBE_STRUCT(attempt_view, (), (number, started, finished, worker, error_type, error))

/// A header of a job; its value is redacted by its name.
struct header_view {
  std::string name, value;
};
BOOST_DESCRIBE_STRUCT(header_view, (), (name, value))

struct log_line_view {
  unix_ms at = 0;
  int attempt = 0;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(log_line_view, (), (at, attempt, text))

struct progress_view {
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: not known
};
BOOST_DESCRIBE_STRUCT(progress_view, (), (done, total))

struct job_view {
  std::string id, queue, task, state;
  int attempts = 0, losses = 0, priority = 5;
  std::string arguments, keyword_arguments, result;
  std::string error_type, error, worker, waits_for;
  std::optional<unix_ms> enqueued, due, expires, started, finished;
  std::vector<attempt_view> history;  ///< attempts that have ended, oldest first
  std::vector<std::string> tags;
  std::vector<header_view> headers;
  int version = 0;  ///< of its payload; 0: none was set
  std::optional<progress_view> progress;
  std::vector<log_line_view> log;  ///< the newest lines, oldest first
  std::uint64_t log_lines_cut = 0;
};
BOOST_DESCRIBE_STRUCT(job_view, (),
                      (id, queue, task, state, attempts, losses, priority, arguments, keyword_arguments,
                       result, error_type, error, worker, waits_for, enqueued, due, expires, started,
                       finished, history, tags, headers, version, progress, log, log_lines_cut))

struct jobs_view {
  std::vector<job_view> jobs;
  std::string next;                    ///< where to go on; empty: there are no more
  std::uint64_t looked_at = 0;         ///< since the first page
  std::optional<std::uint64_t> total;  ///< jobs in these states, where the broker counts them
};
BOOST_DESCRIBE_STRUCT(jobs_view, (), (jobs, next, looked_at, total))

struct count_view {
  std::uint64_t count = 0;  ///< that match, among those that were looked at by this request
  std::string next;
  std::uint64_t looked_at = 0;
  std::optional<std::uint64_t> total;
};
BOOST_DESCRIBE_STRUCT(count_view, (), (count, next, looked_at, total))

struct error_group_view {
  std::string state, task, error_type,
      error;  ///< `error`: how the messages begin, up to the first digit or quote
  std::uint64_t count = 0;
  std::optional<unix_ms> first, last;
  std::string example;  ///< a job's id
};
BOOST_DESCRIBE_STRUCT(error_group_view, (), (state, task, error_type, error, count, first, last, example))

struct errors_view {
  std::vector<error_group_view> groups;
  std::uint64_t looked_at = 0;
  std::optional<std::uint64_t> total;  ///< dead jobs, if not all of them were looked at
};
BOOST_DESCRIBE_STRUCT(errors_view, (), (groups, looked_at, total))

/// What happened in one step of time. Times are in seconds.
struct step_view {
  std::int64_t at = 0;  ///< its beginning, Unix time in seconds
  std::uint64_t enqueued = 0, succeeded = 0, failed = 0, retried = 0, lost = 0;
  /// Of first attempts, and of all; absent: there were none.
  std::optional<double> wait_p50, wait_p95, wait_p99, run_p50, run_p95, run_p99;
};
BOOST_DESCRIBE_STRUCT(step_view, (),
                      (at, enqueued, succeeded, failed, retried, lost, wait_p50, wait_p95, wait_p99, run_p50,
                       run_p95, run_p99))

struct task_view {
  std::string task;  ///< "": losses, and jobs whose task is not known; "*": tasks beyond fifty of a minute
  std::uint64_t enqueued = 0, succeeded = 0, failed = 0, retried = 0, lost = 0;
  std::optional<double> run_p50, run_p95;
  double run_total = 0;  ///< seconds of all attempts
};
BOOST_DESCRIBE_STRUCT(task_view, (),
                      (task, enqueued, succeeded, failed, retried, lost, run_p50, run_p95, run_total))

struct stats_view {
  std::int64_t step = 60;        ///< seconds
  std::vector<step_view> steps;  ///< all of them, oldest first
  std::vector<task_view> tasks;  ///< those that took the most time first
};
BOOST_DESCRIBE_STRUCT(stats_view, (), (step, steps, tasks))

struct worker_view {
  std::string name, token;
  std::vector<std::string> queues;
  std::uint64_t running = 0;
  std::optional<std::uint64_t> waiting, done, concurrency;
  std::int64_t lease_ms = 0;
  bool names_tasks = false;
  std::vector<std::string> tasks;
  std::uint64_t tasks_cut = 0;  ///< that were not named
};
BOOST_DESCRIBE_STRUCT(worker_view, (),
                      (name, token, queues, running, waiting, done, concurrency, lease_ms, names_tasks, tasks,
                       tasks_cut))

struct cron_view {
  std::string name, queue;
  std::optional<unix_ms> next;  ///< of the runs that are planned
  std::string next_id;
  std::uint64_t planned = 0, active = 0;  ///< `active`: queued or running
  bool known = false;                     ///< a live worker of the queue handles it
  bool paused = false;
};
BOOST_DESCRIBE_STRUCT(cron_view, (), (name, queue, next, next_id, planned, active, known, paused))

struct audit_view {
  unix_ms at = 0;
  std::string user, peer, action, queue, what, outcome;
};
BOOST_DESCRIBE_STRUCT(audit_view, (), (at, user, peer, action, queue, what, outcome))

// ---- what its own pages send

/// Which jobs: those that meet all that is not empty.
struct job_query {
  std::vector<std::string> states;
  std::string task;
  std::string error;                    ///< a part of "type: message"
  std::string text;                     ///< a part of the arguments, as they are shown
  std::string id;                       ///< how the id begins
  std::optional<unix_ms> since, until;  ///< enqueued in this time
};
BOOST_DESCRIBE_STRUCT(job_query, (), (states, task, error, text, id, since, until))

struct queue_request {
  std::string queue, action;  ///< "pause" or "resume"
};
BOOST_DESCRIBE_STRUCT(queue_request, (), (queue, action))

struct job_request {
  std::string queue, id, action;  ///< "cancel" or "requeue"
};
BOOST_DESCRIBE_STRUCT(job_request, (), (queue, id, action))

struct bulk_request {
  std::string queue, action;  ///< "cancel", "requeue" or "purge"
  job_query which;
};
BOOST_DESCRIBE_STRUCT(bulk_request, (), (queue, action, which))

struct cron_request {
  std::string queue, name;
  std::string action = "run";  ///< "run", "pause" or "resume"
};
BOOST_DESCRIBE_STRUCT(cron_request, (), (queue, name, action))

/// What an action did.
struct done_view {
  std::uint64_t count = 0;
  std::string outcome;  ///< one or two words
};
BOOST_DESCRIBE_STRUCT(done_view, (), (count, outcome))

}  // namespace quarq::dashboard
