// The steps of a job's life as SQL. Each runs inside a transaction of the caller's and waits for nothing;
// `changes` collects the notices that are due once that is committed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.hpp"

struct sqlite3;

namespace quarq::broker::sqlite {

struct statements;
class statement;

/// How long the end of an awaited job is told to other processes: they read it within milliseconds, unless
/// stopped.
inline constexpr milliseconds publication_time{60'000};

/// How many rows a transaction moves, changes or removes at a time where there may be millions: others wait
/// for the file meanwhile.
inline constexpr std::size_t rows_of_piece = 500;

/// How many bytes a row has besides the record and the outcome, at most.
inline constexpr std::size_t room_in_row = 4'096;

/// In how many of a worker's queues a renewal looks for ready jobs: the first ones.
inline constexpr std::size_t max_looked_at = 50;

/// Of more workers than these, not each renewal looks for lost leases and for what has expired, but the first in each 50 ms
/// and in each second, whichever process makes it.
inline constexpr std::size_t max_looking = 20;

/// Throws usage_error that names the job if its record has more than `max` bytes.
void check_sizes(std::span<const new_job> jobs, std::size_t max);
/// Throws broker_error (reason refused) that names the job if its outcome has more than `max` bytes.
void check_sizes(std::span<const settlement> batch, std::size_t max);

/// Changes by a transaction that somebody may be waiting for.
struct changes {
  struct new_work {
    std::size_t ready = 0;               ///< how many jobs became ready
    std::optional<time_point> next_due;  ///< the earliest of the jobs that became deferred
  };
  struct over {
    std::string queue, id;
    std::optional<quarq::broker::ended> outcome;  ///< nothing: purged
  };
  struct cancel_request {
    std::string queue, token, id;
  };
  std::map<std::string, new_work, std::less<>> work;  ///< by queue
  std::vector<over> ended;                            ///< of awaited jobs only
  std::vector<cancel_request> cancels;
  std::set<std::string, std::less<>> buried;  ///< queues with more dead jobs; nobody waits for that
  bool sweep_due = false;  ///< what has expired is to be removed after the commit; nor does anybody for that
  /// How many jobs were accepted, by queue and task: to be counted before the commit, nobody waits for that either.
  std::map<std::string, std::map<std::string, std::uint64_t, std::less<>>, std::less<>> enqueued;

  bool empty() const noexcept { return work.empty() && ended.empty() && cancels.empty(); }
};

/// The end of a job that is cancelled without its worker.
struct cancel_end {
  std::string outcome;
  std::optional<milliseconds> keep;  ///< nothing: for ever
};

/// After more than this without a renewal by anybody, all were kept from it (the file was locked, the disk
/// full, the machine suspended): leases are extended before any is called lost. Workers with short leases
/// renew them more often, so that for them half a lease is such a silence.
inline constexpr milliseconds max_silence{2'500};
/// How often in a row a lease is extended so. Workers that come for moments with long pauses between them
/// find a lost one all the same.
inline constexpr int max_spared = 5;

/// Moments called `now` are on the wall clock, those called `uptime` on the clock of leases.
class job_tables {
 public:
  /// `db` has the schema, and outlives this. `boot` as in clocks.
  job_tables(sqlite3* db, std::string boot);
  ~job_tables();

  // ---- for clients
  std::vector<accepted> enqueue(std::string_view queue, std::span<const new_job> jobs, time_point now,
                                changes& out);
  struct wait_answer {
    bool over = false;  ///< false: the job is alive, and its end will be told
    std::optional<ended> outcome;
  };
  wait_answer await_end(std::string_view queue, std::string_view id, time_point now);
  cancel_result cancel(std::string_view queue, std::string_view id, const cancel_end& how, time_point now,
                       changes& out);
  std::vector<std::string> notes(std::string_view queue, std::span<const std::string> ids);

  // ---- for workers
  void open_lease(const worker_lease& held, const lease_options& options, milliseconds uptime);
  renewal renew(const worker_lease& held, const lease_options& options, time_point now, milliseconds uptime,
                changes& out);
  void close_lease(const worker_lease& held, time_point now, changes& out);
  /// Jobs that were lost at least `says_begin_from` times have not begun (lease_options).
  claim_result claim(const lease& held, std::size_t max, time_point now,
                     std::optional<int> says_begin_from = std::nullopt);
  std::vector<bool> settle(const lease& held, std::span<const settlement> batch, time_point now,
                           changes& out);
  void reconcile(const lease& held, std::span<const std::string> known, time_point now, changes& out);

  void keep_notes(const lease& held, std::span<const job_note> notes, time_point now);

  // ---- for operators
  bool set_mark(std::string_view queue, std::string_view name, std::string_view text);
  std::map<std::string, std::string> marks(std::string_view queue);
  std::optional<job_details> inspect(std::string_view queue, std::string_view id, time_point now);
  job_page page(std::string_view queue, job_state state, std::size_t max, std::string_view from,
                time_point now);
  std::vector<queue_summary> queues(time_point now, milliseconds uptime);
  std::vector<worker_summary> workers(std::string_view queue, milliseconds uptime);
  /// Whether that changed anything.
  bool set_paused(std::string_view queue, bool paused, time_point now, changes& out);
  bool is_paused(std::string_view queue);
  /// Nobody is to be told of work in paused queues.
  void forget_paused_work(changes& out);
  /// No job that exists has a higher number.
  std::int64_t highest_number();
  std::size_t requeue(std::string_view queue, std::span<const std::string> ids, time_point now, changes& out);
  struct piece {
    std::size_t rows = 0;   ///< how many it has touched: fewer than rows_of_piece if none are left
    std::size_t count = 0;  ///< how many of those were jobs that could still be looked up
  };
  /// Of the jobs up to this number.
  piece requeue_some(std::string_view queue, std::int64_t highest, time_point now, changes& out);
  piece purge_some(std::string_view queue, job_state state, std::int64_t highest, time_point now,
                   changes& out);
  std::size_t purge_named(std::string_view queue, job_state state, std::span<const std::string> ids,
                          time_point now, changes& out);
  std::uint64_t count(std::string_view queue, job_state state, time_point now);

  // ---- what has happened
  /// Counts the jobs that a transaction has accepted.
  void count_enqueued(const changes& of, time_point now);
  void add_stats(std::string_view queue, std::span<const task_counts> what, time_point now);
  std::vector<task_minute> stats(std::string_view queue, task_minute::time_point from,
                                 task_minute::time_point until);

  // ---- for tidying up
  /// Removes some of the expired rows. Whether there may be more.
  bool sweep(time_point now);
  /// Removes some of the queue's oldest dead jobs if there are more than max_dead. How many.
  std::size_t trim_dead(std::string_view queue);

  /// Writes to the file, and leaves everything as it is: a commit of this, if it waits for the disk, waits for
  /// what was committed before as well.
  void touch();

  // ---- for noticing the work of other processes
  /// Changes when, and only when, another connection has committed something.
  std::int64_t version_of_others();
  /// The first queue from `from` on, in the order of bytes, that has ready or deferred jobs.
  std::optional<std::string> next_waiting(std::string_view from);
  /// How many jobs may be claimed, counted to `max`; jobs that have become due included.
  std::size_t count_ready(std::string_view queue, std::size_t max, time_point now);
  /// Also for a paused queue.
  std::size_t count_waiting(std::string_view queue, std::size_t max, time_point now);
  /// Nothing for a paused queue, too.
  std::optional<time_point> next_due(std::string_view queue);
  /// Of any lease.
  bool has_cancel_requests();
  std::vector<renewal::request> cancel_requests(std::string_view token);
  /// The ends told after `number`, which is moved on.
  std::vector<changes::over> published_since(std::int64_t& number);
  std::int64_t last_published();

 private:
  struct place_in_list;
  statement& rows_after(std::string_view queue, job_state state, place_in_list& at, std::int64_t limit);
  /// How many rows it deleted: of a piece at most.
  std::int64_t sweep_kept(time_point now);
  void add_counts(std::string_view queue, std::int64_t minute, std::string_view task, const task_stats& more);
  void add_enqueued(std::string_view queue, std::int64_t minute, std::string_view task, std::uint64_t count);
  std::size_t count_leases();
  std::optional<std::int64_t> lease_number(const lease& held);
  std::optional<std::int64_t> lease_of(std::string_view token);
  bool insert(std::string_view queue, const new_job& job, time_point now, changes& out);
  bool settle_one(const lease& held, std::int64_t lease, const settlement& one, time_point now, changes& out);
  /// Takes the job out of the tables, and notifies its waiters.
  void end_unkept(std::int64_t number, bool awaited, changes::over over, time_point now, changes& out);
  struct unended {
    std::int64_t number;
    bool awaited;
    std::string queue, id;
  };
  void end_cancelled(unended job, cancel_end how, time_point now, changes& out);
  void publish(changes::over over, time_point now, changes& out);
  void cancel_wanted_of(std::int64_t lease, time_point now, changes& out);
  /// `lost`: those that have begun count as lost.
  void give_back_all(std::int64_t lease, bool lost, time_point now, changes& out);
  void end_lease(std::int64_t lease);
  /// Returns when a worker was heard before this; nothing: none was since the machine started.
  std::optional<milliseconds> spare_all_after_silence(milliseconds duration, milliseconds uptime);
  void take_back_lost(time_point now, milliseconds uptime, changes& out);
  void add_ready(std::string_view queue, std::size_t count, changes& out);
  void add_deferred(std::string_view queue, time_point due, changes& out);
  static void note_enqueued(std::string_view queue, std::string_view task, changes& out);

  std::unique_ptr<statements> sql_;
  std::string boot_;
};

}  // namespace quarq::broker::sqlite
