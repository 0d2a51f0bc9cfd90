// A database file in this process: one connection and one thread for all brokers that use the file.
//
// The thread takes all operations that wait and runs them in one transaction (group commit). Answers leave after the
// commit, those to durable writes when the disk has stored it; meanwhile the next group runs (wal_sync).
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "broker/sqlite/change_notifier.hpp"
#include "broker/sqlite/clocks.hpp"
#include "broker/sqlite/database.hpp"
#include "broker/sqlite/forked_copy.hpp"
#include "broker/sqlite/job_tables.hpp"
#include "broker/sqlite/operation.hpp"
#include "broker/sqlite/subscriptions.hpp"
#include "broker/sqlite/wal_sync.hpp"

namespace quarq::broker::sqlite {

struct database_settings {
  std::string file;              ///< or ":memory:"
  int synchronous = 2;           ///< PRAGMA synchronous for durable data: 0 off, 1 normal, 2 full
  int max_row = sqlite_max_row;  ///< bytes; SQLite's own limit unless a test wants a lower one
  bool may_watch = true;         ///< false: as on a machine whose inotify instances are used up
  clocks times = machine_clocks();
  wal_sync::sync_function sync = ::fdatasync;  ///< by which the WAL's thread waits for the disk
};

/// How many bytes a record or an outcome may have.
std::size_t max_bytes(const database_settings& settings);

class writer_thread {
 public:
  /// The store that this process has for the file, or a new one, which goes by the machine's clocks. One
  /// whose file was deleted or replaced is not shared any more.
  static std::shared_ptr<writer_thread> shared(database_settings settings);

  /// The stores in memory that are shared.
  static std::vector<std::shared_ptr<writer_thread>> open_in_memory();

  /// A store that shares nothing with others. The file is opened by the first operation.
  explicit writer_thread(database_settings settings);
  /// Waits for the transaction under way; operations after it are dropped. In a copy made by fork() it leaves
  /// everything as it is.
  ~writer_thread();
  writer_thread(const writer_thread&) = delete;
  writer_thread& operator=(const writer_thread&) = delete;

  const database_settings& settings() const noexcept { return settings_; }
  bool is_forked_copy() const noexcept { return in_use_.is_forked_copy(); }

  /// Thread-safe. The operation answers when it is committed, or has failed and changed nothing. Throws
  /// usage_error in a copy of the process that was made by fork().
  void submit(std::shared_ptr<operation> what);

  /// The wall clock of this store was set: workers are told to look for jobs that have become due. Thread-safe.
  void wall_was_set();

 private:
  struct shared_stores;
  using clock = std::chrono::steady_clock;

  // ---- sleeping and waking
  void run();
  void take_batch();
  void sleep();
  void attend_to_others();
  bool is_polling() const { return notifier_ && notifier_->fd() < 0; }
  void end_if_file_is_gone();
  void check_again_later();
  std::optional<clock::time_point> next_wake() const;

  // ---- transactions
  void run_batch();
  bool try_batch();
  void put_back_from(std::size_t index);
  bool run_without(std::size_t index, failure error);
  void begin(operation::kind needs);
  void roll_back() noexcept;
  void finish_batch();
  void answer_when_stored(std::vector<std::shared_ptr<operation>> committed, bool others_go_on);
  void sweep_soon();
  static void fail(const std::shared_ptr<operation>& one, failure error);
  void fail_batch(const failure& error);
  void forgive_standstill(clock::time_point& seen, clock::duration expected);
  void fail_late();
  failure file_is_gone() const;
  void open_file();

  struct open_database {
    explicit open_database(const database_settings& settings);
    database file;
    job_tables tables;
    statement begin_read{file.get(), "BEGIN"}, begin_write{file.get(), "BEGIN IMMEDIATE"},
        commit{file.get(), "COMMIT"};
  };

  const database_in_use in_use_;
  const database_settings settings_;

  std::mutex mutex_;
  std::deque<std::shared_ptr<operation>> waiting_;
  bool asleep_ = false;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> gone_{false};  ///< the file is: nothing can be done any more
  base::unique_fd waker_;

  // The thread's own.
  std::vector<std::shared_ptr<operation>> batch_;
  changes changes_;
  clock::time_point locked_at_;                          ///< when the transaction began
  std::vector<std::shared_ptr<operation>> next_pieces_;  ///< of operations that run in pieces
  clock::time_point next_pieces_at_;
  std::weak_ptr<operation> sweep_;                   ///< the one under way
  std::set<std::string, std::less<>> buried_since_;  ///< queues with more dead jobs since the last sweep
  std::unique_ptr<open_database> open_;
  std::unique_ptr<change_notifier> notifier_;
  int synchronous_now_ = -1;
  std::unique_ptr<wal_sync> sync_;  ///< once SQLite has waited for the disk itself
  subscriptions subscriptions_;
  std::int64_t version_of_others_ = 0;
  std::optional<clock::time_point> check_again_;
  std::size_t checks_made_ = 0;
  std::thread thread_;
};

}  // namespace quarq::broker::sqlite
