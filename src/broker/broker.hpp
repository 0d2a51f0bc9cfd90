// Where jobs live: one interface, whose calls take batches. Every implementation passes
// tests/integration/broker_conformance.
//
// A broker moves opaque bytes between states; what they mean (a task, a retry policy) is known to clients/
// and workers/ alone. Every call is one atomic step in the store. Times are judged by the broker's clock alone.
//
// A broker object belongs to one loop (the executor it was opened with) and is used from that loop only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/errors.hpp>
#include <quarq/job_state.hpp>
#include <quarq/queue_stats.hpp>

namespace quarq::broker {

using milliseconds = std::chrono::milliseconds;
/// A moment by the broker's clock, in whole milliseconds of Unix time.
using time_point = std::chrono::sys_time<milliseconds>;

inline constexpr int min_priority = 0;
inline constexpr int max_priority = 9;

/// A job as its sender hands it over.
struct new_job {
  std::string id;  ///< 1 to 255 bytes; unique within the queue
  bool id_is_fresh =
      false;           ///< made by make_id(), so nobody else can hold it: no need to look for a kept result
  std::string record;  ///< the payload (docs/payload.md), opaque here
  int priority = 5;    ///< min_priority..max_priority; the highest is claimed first
  milliseconds delay{0};                ///< from now, by the broker's clock; 0: ready at once
  std::optional<time_point> at;         ///< instead of delay
  std::optional<milliseconds> expires;  ///< not to be started later than this after it became due
  std::string task{};  ///< for the counts (stats()) of jobs that were accepted; empty: not counted
};

enum class accepted { yes, duplicate };

/// The right to claim and to settle jobs of one queue: the part of a worker's lease that is for it. Holding a
/// job = its id stands under this token in the store; that is the fence.
struct lease {
  std::string queue;
  std::string token;
};

/// A worker's lease over all its queues. A worker makes one with a fresh token, renews it while it lives, and
/// makes another if it is told that this one is lost.
struct worker_lease {
  worker_lease() = default;
  worker_lease(std::string its_token, std::vector<std::string> its_queues)
      : token(std::move(its_token)), queues(std::move(its_queues)) {}
  /// Of a worker with one queue.
  worker_lease(lease whole)  // NOLINT(google-explicit-constructor)
      : token(std::move(whole.token)), queues(1, std::move(whole.queue)) {}

  std::string token;
  std::vector<std::string> queues;  ///< none twice, and always the same ones
};

/// A worker's description of itself, for operators (`quarq workers`). Both texts are msgpack, opaque here.
struct lease_options {
  milliseconds duration{7000};  ///< the same in all renewals of a lease
  std::string worker_info;      ///< how it is doing; said at each renewal
  std::string announcement;     ///< the tasks that it handles; read when the lease is opened only
  /// False in a renewal for a worker that stands still, by another thread of its own: it keeps the jobs that it
  /// holds, and no others are pushed to it until it renews by itself.
  bool takes_jobs = true;
  /// A job that was lost so often has not begun until its worker says so (settlement::what::begin): if the worker
  /// is lost before that, the job does not count as lost once more. Nothing: it has begun when it is claimed. Read
  /// when the lease is opened only; fewer than 1 is for leases that take no pushed jobs.
  std::optional<int> says_begin_from = std::nullopt;
};

struct renewal {
  struct request {
    std::string queue, id;
  };
  bool held = false;                     ///< false: lost; its jobs have been given to others
  std::vector<request> cancel_requests;  ///< jobs held under this lease that somebody wants cancelled
  /// Queues in which jobs are ready. Events say so, too: this is for lost events, and a
  /// broker may look at one of the worker's queues with each renewal.
  std::vector<std::string> work_ready;
  /// Likewise, queues in which jobs are ready that nobody gets, because the queue is paused.
  std::vector<std::string> paused;
  /// How many workers renew a lease in this store; 0: it does not say.
  std::size_t workers = 0;
};

struct claimed_job {
  std::string id;
  std::string record;
  int attempts = 1;  ///< how often it has been started, this time included, without the starts that were lost
  int losses = 0;    ///< how often it was lost with the worker that held it
  int priority = 5;
  time_point enqueued_at;
  time_point due_at;  ///< when it became ready first; equals enqueued_at for a job without delay
  std::optional<time_point> expires_at;
  std::string last_outcome;  ///< of its last retry, as it was settled; empty: there was none

  /// Whether no worker is known to have started it before.
  bool is_first_start() const noexcept { return attempts == 1 && losses == 0; }
};

struct claim_result {
  std::vector<claimed_job> jobs;         ///< highest priority first, then oldest first
  time_point now;                        ///< the broker's clock
  std::optional<milliseconds> next_due;  ///< how long until the next deferred job becomes ready
  bool paused = false;                   ///< the queue is, and gives no jobs
};

/// How a claimed job leaves the worker's hands; or that it has begun.
struct settlement {
  enum class what {
    end,        ///< it ends in `state` (succeeded, failed, cancelled, expired or dead)
    retry,      ///< it becomes deferred for `delay`; its attempt stays counted
    hand_back,  ///< it becomes ready again, before all others of its priority, or deferred for `delay`, if
                ///< there is one; its attempt is not counted
    begin,      ///< it stays held, and has begun: see lease_options::says_begin_from
  };
  std::string id;
  what kind = what::end;
  job_state state = job_state::succeeded;
  /// The outcome record (docs/payload.md), given to all waiters and kept for `keep`. Of a retry: that of the
  /// try, which is shown to operators where the store has a place for it.
  std::string outcome;
  /// How long the outcome can be looked up (0: not at all; nothing: for ever). A dead job ignores it: it and
  /// its record are kept until requeued or purged, or too old or too many.
  std::optional<milliseconds> keep = milliseconds{0};
  /// How long the user asked for, if that is less than `keep`: failures are kept for a while all the same, so that
  /// they are seen. A broker that takes the place of another system's may hold to it.
  std::optional<milliseconds> keep_asked_for = std::nullopt;
  milliseconds delay{0};
  /// Of a success it need only be kept, for `keep`, that it was one: the outcome is for waiters.
  bool keeps_state_only = false;
  /// The outcome has what the job's note says (broker::keep_notes), which need not be kept any more.
  bool has_notes = false;
};

/// What a running job says of itself; opaque here.
struct job_note {
  std::string id;
  std::string text;
};

/// How long a note can be read, should the job neither say something else nor end.
inline constexpr milliseconds notes_kept = std::chrono::hours(24);

/// An ended job as its waiters see it.
struct ended {
  job_state state = job_state::succeeded;
  std::string outcome;
};

enum class cancel_result {
  cancelled,  ///< it was queued or deferred and will never run
  requested,  ///< it is running; its worker has been told
  ended,      ///< too late: it has ended
  not_found,
};

struct job_details {
  std::string id;
  job_state state = job_state::queued;
  std::string record;   ///< empty for an ended job that is not dead: only its outcome is kept
  std::string outcome;  ///< until it has ended: of its last try, if that has failed
  int attempts = 0;
  int losses = 0;
  int priority = 5;
  std::optional<time_point> enqueued_at;
  std::optional<time_point> due_at;  ///< of a deferred job: when it becomes ready
  std::optional<time_point> expires_at;
  std::string holder;  ///< lease token of a running job
  std::string note;  ///< what it says of itself; of a job that has not ended, and only where one is asked for
};

struct queue_summary {
  std::string name;
  std::uint64_t queued = 0, deferred = 0, running = 0, dead = 0;
  std::uint64_t kept = 0;     ///< ended jobs whose outcome is kept; dead ones not included
  std::uint64_t workers = 0;  ///< live leases
  bool paused = false;        ///< see set_paused
};

/// How many jobs of a state are looked at in one step, so that nobody waits long for it.
inline constexpr std::size_t max_page = 500;

/// Some of the jobs in a state.
struct job_page {
  std::vector<job_details> jobs;
  std::string next;  ///< where the next page begins; empty: this was the last one
};

struct worker_summary {
  std::string token;
  std::string worker_info, announcement;  ///< as in lease_options
  std::uint64_t running = 0;              ///< of the queue's jobs
  milliseconds expires_in{0};
};

/// The workers that may run the jobs of a queue.
struct live_workers {
  std::vector<std::string> announcements;  ///< of its live workers, as in lease_options
  bool others = false;                     ///< programs that announce nothing may serve it, too
  bool paused = false;                     ///< workers that announce something get none of its jobs
};

/// A broker's events for a worker; each names one of its queues. Called on the loop.
struct worker_events {
  /// Claim now: jobs became ready, or one is due sooner than was said.
  std::function<void(const std::string& queue)> work_ready;
  /// This held job is to be cancelled.
  std::function<void(const std::string& queue, const std::string& id)> cancel_requested;
  /// Optional, for the worker to set and for the broker to use: while the lease is owed work_ready, a job may
  /// be given to it instead. The job is held as if it had been claimed at `now`, in its first try; the worker
  /// starts it or hands it back. The lease is still owed work_ready. What is given between `reconnected` and
  /// the end of reconcile is to be dropped: reconcile gives it back.
  std::function<void(const std::string& queue, claimed_job job, time_point now)> on_job_pushed;
  /// Optional. A job that was claimed had been cancelled before; the broker ends it, and the worker does not
  /// get it.
  std::function<void(const claimed_job& job, time_point now)> aborted_unstarted;
  /// The connection was lost and is back: claims whose answer was lost may have left jobs under the lease
  /// (see reconcile). Said once for all queues.
  std::function<void()> reconnected;
};

/// What has happened with the jobs of a task since it was said last.
struct task_counts {
  std::string task;
  task_stats counts;
};

class worker_log_format;

/// The broker's store is not there any more (its file was deleted or replaced), and does not come
/// back: a worker ends.
class store_gone : public broker_error {
 public:
  using broker_error::broker_error;
};

class broker {
 public:
  virtual ~broker() = default;
  broker() = default;
  broker(const broker&) = delete;
  broker& operator=(const broker&) = delete;

  // ---- for clients

  /// Stores all jobs, in one step or, where they are very many, in several, which do not wait for each other.
  /// Answers are in the order of `jobs`. When this returns, accepted jobs are as safe as the store can make
  /// it (docs/delivery.md). A call that is repeated because its answer was lost accepts the same jobs once.
  virtual awaitable<std::vector<accepted>> enqueue(std::string queue, std::vector<new_job> jobs) = 0;

  /// Waits, without polling, until the job has ended. Nothing: there is no such job, or it has ended and its
  /// outcome is not kept. Cancelling the await forgets the wait and nothing else.
  virtual awaitable<std::optional<ended>> wait_ended(std::string queue, std::string id) = 0;

  /// What each of these jobs says of itself (keep_notes), in this order. Empty: it says nothing, or is not there.
  virtual awaitable<std::vector<std::string>> notes(std::string queue, std::vector<std::string> ids);

  /// A queued or deferred job ends as cancelled with `outcome`, which is kept for `keep` as that of a
  /// settlement, and told to all waiters. A running job's worker is told. How that one settles the job
  /// counts; but where it does not end it (it retries it, hands it back, is lost), the job ends as cancelled
  /// with the `outcome` and `keep` of the first request.
  virtual awaitable<cancel_result> cancel(std::string queue, std::string id, std::string outcome,
                                          std::optional<milliseconds> keep) = 0;

  // ---- for workers

  /// Registers the lease in all its queues, in one step. Events come from now until close_lease or the
  /// broker's end.
  virtual awaitable<void> open_lease(worker_lease held, lease_options options, worker_events events) = 0;

  /// Extends the lease, and gives the jobs of all leases that have run out, of whatever queues, back to their
  /// queues (or ends them as cancelled, where that was requested). They count as lost once more if they have
  /// begun, and not as attempted. To be called about once a second. A lease that ran out but has not been taken away yet is
  /// revived. The next answer repeats this one's contents. Another broker object than that which
  /// opened the lease may renew it.
  virtual awaitable<renewal> renew(worker_lease held, lease_options options) = 0;

  /// Gives back all jobs still held, uncounted, and ends the lease.
  virtual awaitable<void> close_lease(worker_lease held) = 0;

  /// Takes up to `max` ready jobs. Deferred jobs that have become due count as ready. Returning fewer than
  /// `max` promises a work_ready event when more become ready, or on_job_pushed events where the lease takes
  /// those. The promise ends with the event work_ready, with reconcile, and when the lease hands a job back.
  /// A paused queue gives none, and names no next_due; the event comes when it is resumed.
  /// Throws broker_error "lease lost" when it is
  /// not held.
  virtual awaitable<claim_result> claim(lease held, std::size_t max) = 0;

  /// Ends, retries or gives back held jobs, or notes that they have begun, in one step. Answers, in order, whether each was still held:
  /// where it was not, nothing has changed. Throws broker_error with reason::refused for an outcome that the
  /// store would never take; then nothing of the batch was done.
  virtual awaitable<std::vector<bool>> settle(lease held, std::vector<settlement> batch) = 0;

  /// Gives back, uncounted, every held job that is not in `known`: those whose claim was answered into a
  /// broken connection.
  virtual awaitable<void> reconcile(lease held, std::vector<std::string> known) = 0;

  /// Keeps what held jobs say of themselves, in place of what each has said before. Those that are not held any more
  /// are left out.
  virtual awaitable<void> keep_notes(lease held, std::vector<job_note> notes);

  struct traits {
    /// Other programs wait for jobs too, and take the absence of a result for the absence of the job: void
    /// results must be kept for a while.
    bool keep_void_results = false;
    /// Ended jobs are in lists, which grow at their ends. False: dead ones alone; for others page() looks through all
    /// keys that there are, and so does page_of_ended().
    bool lists_ended = true;
    /// The log lines that operators of these jobs' workers know; nullptr: quarq's own. Lives for ever.
    const worker_log_format* log = nullptr;
  };
  /// The peculiarities of this broker's jobs.
  virtual traits about() const noexcept { return {}; }

  /// A line on the server for the log of a worker that starts. Empty: nothing.
  virtual awaitable<std::string> about_server();

  // ---- for operators

  virtual awaitable<std::optional<job_details>> inspect(std::string queue, std::string id) = 0;
  /// About `max` jobs in this state, and not many more than max_page, oldest first where the store knows an
  /// order: the first ones if `from` is empty, or else those after the page that returned it. A page may be empty
  /// and not the last one.
  ///
  /// A job that is in this state from the first call to the last is on some page. One that comes, goes or moves
  /// meanwhile may be on several of them, or on none.
  virtual awaitable<job_page> page(std::string queue, job_state state, std::size_t max, std::string from) = 0;
  /// The same for several final states at once; without an order, and each job perhaps several times. Only of a broker
  /// without traits::lists_ended.
  virtual awaitable<job_page> page_of_ended(std::string queue, job_states states, std::string from);
  /// The first `max` of them, none twice.
  awaitable<std::vector<job_details>> list(std::string queue, job_state state, std::size_t max);
  virtual awaitable<std::vector<queue_summary>> queues() = 0;
  virtual awaitable<std::vector<worker_summary>> workers(std::string queue) = 0;
  /// Pauses the queue, or resumes it; whether it was otherwise before. The jobs of a paused queue are stored and
  /// become due, and running jobs go on and end. But no worker gets any: claims give none, nothing is pushed,
  /// and neither events nor renewals say that work is ready. Resuming says so to all that were owed it. The store
  /// keeps this until the queue is resumed, whether it has jobs or not.
  virtual awaitable<bool> set_paused(std::string queue, bool paused) = 0;
  virtual awaitable<bool> is_paused(std::string queue) = 0;
  /// For clients that wonder whether a job will be run.
  virtual awaitable<live_workers> live_workers_of(std::string queue);
  /// Dead jobs back into the queue with their attempts and losses at 0: those named, or all if `ids` is
  /// empty. How many there were.
  virtual awaitable<std::size_t> requeue(std::string queue, std::vector<std::string> ids) = 0;
  /// Forgets all jobs of the queue in this state; running ones are refused with usage_error. How many
  /// there were.
  virtual awaitable<std::size_t> purge(std::string queue, job_state state) = 0;
  /// Forgets those of these jobs (max_page at most) that are in this state, and tells their waiters so; running ones
  /// are refused with usage_error. How many there were.
  virtual awaitable<std::size_t> purge_named(std::string queue, job_state state,
                                             std::vector<std::string> ids);
  /// How many jobs of the queue are in this state; nothing where to count them would take long.
  virtual awaitable<std::optional<std::uint64_t>> count(std::string queue, job_state state);

  /// Keeps a short text of the queue's under this name (1 to 255 bytes), until it is replaced, or removed by an empty
  /// one. Whether that changed anything. The store does not know what it means.
  virtual awaitable<bool> set_mark(std::string queue, std::string name, std::string text);
  /// All marks of the queue, by name.
  virtual awaitable<std::map<std::string, std::string>> marks(std::string queue);

  /// Adds to what has happened in the minute of the broker's clock.
  virtual awaitable<void> add_stats(std::string queue, std::vector<task_counts> what);
  /// What has happened in the minutes from `from` to before `until`, in their order, and in each by task. The store
  /// counts losses itself, of the task "".
  virtual awaitable<std::vector<task_minute>> stats(std::string queue, task_minute::time_point from,
                                                    task_minute::time_point until);

  /// One line each on what in the store's set-up puts jobs at risk (no persistence, eviction). Empty:
  /// nothing.
  virtual awaitable<std::vector<std::string>> warnings() = 0;
};

struct open_options {
  /// How long a call waits for a store that can't be reached before it throws broker_error. Workers use no
  /// limit.
  std::optional<milliseconds> timeout = milliseconds{10'000};
  /// While nobody waits for an answer, the loop has nothing to do for this broker, and its run() may return. Not for
  /// workers, which wait without a call.
  bool rests_when_idle = false;
};

/// Throws usage_error for a URL that open() would refuse, and does nothing else.
void check_url(std::string_view url);

/// The file in which the jobs are, if they are in one; others that belong to it have names that begin with
/// its own. Empty: they are not.
std::string file_of(std::string_view url);

/// The URL as it may be shown: its passwords, if there are any, replaced by ***.
std::string without_password(std::string_view url);

/// Opens sqlite:FILE, sqlite::memory:, redis://, rediss://, redis+unix://, redis+sentinel://, arq://,
/// arqs://, arq+unix:// or arq+sentinel://, or the last of each with TLS, rediss+sentinel:// and
/// arqs+sentinel://. Throws usage_error for a URL it can't use, naming the part. Does not connect yet.
std::shared_ptr<broker> open(std::string_view url, boost::asio::any_io_executor loop,
                             open_options options = {});

}  // namespace quarq::broker
