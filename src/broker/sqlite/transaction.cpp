#include "broker/sqlite/transaction.hpp"

#include <algorithm>

#include "broker/checks.hpp"
#include "broker/sqlite/clocks.hpp"
#include "broker/sqlite/database.hpp"
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
  changes unused;  // Nothing is to be told before the caller commits; workers see that in the WAL.
  auto answers = tables.enqueue(queue, jobs, times.wall(), unused);
  transaction.keep();
  return answers;
}

}  // namespace quarq::broker::sqlite
