// For tests of what the SQLite broker's tables do, without its thread.
#pragma once

#include <fmt/format.h>

#include "broker/sqlite/job_tables.hpp"
#include "broker/sqlite/schema.hpp"
#include "integration/sqlite_test.hpp"

namespace quarq::test::bare_sqlite {

inline constexpr auto now = broker::time_point(std::chrono::hours(500'000));

/// Tables without a broker's thread.
struct bare_tables {
  user_connection db{":memory:"};
  broker::sqlite::job_tables tables{(broker::sqlite::make_schema(db.get()), db.get()), "boot"};
  broker::sqlite::changes out;

  void enqueue(std::size_t count, milliseconds delay = 0ms) {
    auto jobs = numbered_jobs(count);
    for (auto& job : jobs) job.delay = delay;
    db.run("BEGIN");
    tables.enqueue("q", jobs, now, out);
    db.run("COMMIT");
  }
  int count(int state) {
    return db.number(fmt::format("SELECT count(*) FROM quarq_jobs WHERE state = {}", state).c_str());
  }
};

/// How many steps of SQLite's virtual machine it takes.
template <class F>
std::int64_t steps_of(sqlite3* db, F work) {
  std::int64_t steps = 0;
  const auto count = [](void* into) {
    ++*static_cast<std::int64_t*>(into);
    return 0;
  };
  sqlite3_progress_handler(db, 1, count, &steps);
  work();
  sqlite3_progress_handler(db, 0, nullptr, nullptr);
  return steps;
}

}  // namespace quarq::test::bare_sqlite
