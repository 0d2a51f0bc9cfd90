// Owners for SQLite's handles; SQLite's errors as exceptions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include <quarq/errors.hpp>

namespace quarq::broker::sqlite {

/// SQLite refused. what() names the file, what was being done, and SQLite's reason.
class database_error : public broker_error {
 public:
  /// `system_error`: errno of the call that failed; 0: none did.
  database_error(const std::string& text, int code, int system_error);
  /// The primary result code: SQLITE_BUSY, SQLITE_FULL...
  int code() const noexcept { return code_ & 0xff; }

 private:
  int code_;
};

/// SQLite's own limit for a row, in bytes.
inline constexpr int sqlite_max_row = 1'000'000'000;

/// Throws the database_error that stands in `db` now.
[[noreturn]] void throw_error(sqlite3* db, const std::string& doing);

/// Runs statements that take nothing and return nothing.
void execute(sqlite3* db, const char* sql);

/// An open database file. `:memory:` is a database of the object's own.
class database {
 public:
  /// `max_row`: how many bytes a row may have; SQLite refuses more.
  explicit database(const std::string& file, int max_row = sqlite_max_row);
  sqlite3* get() const noexcept { return handle_.get(); }

 private:
  struct close {
    void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, close> handle_;
};

/// One SQL statement, prepared when it is first used and kept. Bound texts and blobs must live until the end
/// of the run.
class statement {
 public:
  /// `sql` must outlive the statement.
  statement(sqlite3* db, std::string_view sql) : db_(db), sql_(sql) {}

  /// Marks bytes that are to be bound as a BLOB; a plain string_view is bound as TEXT.
  struct blob {
    std::string_view bytes;
  };

  /// Binds all parameters, in order, for a run.
  template <class... Values>
  statement& with(const Values&... values) {
    prepare();
    int index = 0;
    (bind(++index, values), ...);
    return *this;
  }

  /// To the next row; false, and ready for another run, when there is none.
  bool next();
  /// Runs to the end. How many rows it changed.
  int run();
  /// Leaves a run before its last row.
  void reset() noexcept;

  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  bool null(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
  std::string bytes(int column) const;

 private:
  void prepare();
  void check(int code);
  void bind(int index, std::int64_t value) { check(sqlite3_bind_int64(handle_.get(), index, value)); }
  void bind(int index, int value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, const std::optional<std::int64_t>& value);
  void bind(int index, std::string_view text);
  void bind(int index, const blob& value);

  struct finalize {
    void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
  };
  sqlite3* db_;
  std::string_view sql_;
  std::unique_ptr<sqlite3_stmt, finalize> handle_;
};

}  // namespace quarq::broker::sqlite
