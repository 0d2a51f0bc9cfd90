// Another program that holds a SQLite file's write lock.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include <sqlite3.h>

namespace quarq::test {

/// Holds the lock until it is destroyed. Throws std::runtime_error if it does not get it within ten seconds.
class locked_file {
 public:
  explicit locked_file(const std::string& file) {
    sqlite3* db = nullptr;
    sqlite3_open(file.c_str(), &db);
    db_.reset(db);
    sqlite3_busy_timeout(db, 10'000);
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(db));
  }

 private:
  struct close {
    void operator()(sqlite3* db) const noexcept { sqlite3_close(db); }
  };
  std::unique_ptr<sqlite3, close> db_;
};

}  // namespace quarq::test
