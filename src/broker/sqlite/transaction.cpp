#include "broker/sqlite/transaction.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <quarq/errors.hpp>

#include "broker/checks.hpp"
#include "broker/sqlite/clocks.hpp"
#include "broker/sqlite/database.hpp"
#include "broker/sqlite/database_file.hpp"
#include "broker/sqlite/job_tables.hpp"
#include "broker/sqlite/schema.hpp"

namespace quarq::broker::sqlite {

namespace {

/// A transaction, or a part of the one that is open. Rolled back unless kept.
class savepoint {
 public:
  explicit savepoint(sqlite3* db) : db_(db) { execute(db_, "SAVEPOINT quarq_enqueue"); }
  savepoint(const savepoint&) = delete;
  savepoint& operator=(const savepoint&) = delete;
  ~savepoint() {
    if (kept_) return;
    sqlite3_exec(db_, "ROLLBACK TO quarq_enqueue", nullptr, nullptr, nullptr);
    sqlite3_exec(db_, "RELEASE quarq_enqueue", nullptr, nullptr, nullptr);
  }
  void keep() {
    execute(db_, "RELEASE quarq_enqueue");
    kept_ = true;
  }

 private:
  sqlite3* db_;
  bool kept_ = false;
};

}  // namespace

void check_is_open_on(sqlite3* db, const std::string& file) {
  if (!db) throw usage_error("sqlite::enqueue got a null handle: it needs an open connection");
  const char* name = sqlite3_db_filename(db, "main");
  const std::string open_on = name && *name ? name : ":memory:";
  struct stat ours{}, queues{};
  const bool same = !was_moved(db) && stat(open_on.c_str(), &ours) == 0 && stat(file.c_str(), &queues) == 0 &&
                    ours.st_dev == queues.st_dev && ours.st_ino == queues.st_ino;
  if (same) return;
  throw usage_error(fmt::format(
      "sqlite::enqueue got a connection to {}, and the queue is in {}: no worker would find the job", open_on,
      file.empty() ? ":memory:" : file));
}

std::vector<accepted> enqueue_in_transaction(sqlite3* db, std::string_view queue,
                                             std::span<const new_job> jobs) {
  check_queue(queue);
  check_jobs(jobs);
  const auto max_row = static_cast<std::size_t>(sqlite3_limit(db, SQLITE_LIMIT_LENGTH, -1));
  check_sizes(jobs, max_row - std::min(max_row, room_in_row));
  savepoint transaction(db);
  make_schema(db);
  const clocks times = machine_clocks();
  job_tables tables(db, times.boot);
  changes made;  // Nobody is to be told before the caller commits; workers see that in the WAL.
  const auto now = times.wall();
  auto answers = tables.enqueue(queue, jobs, now, made);
  tables.count_enqueued(made, now);
  transaction.keep();
  return answers;
}

}  // namespace quarq::broker::sqlite
