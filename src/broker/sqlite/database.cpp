#include "broker/sqlite/database.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "broker/sqlite/database_file.hpp"

namespace quarq::broker::sqlite {

namespace {

broker_error::reason reason_of(int code, int system_error) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return broker_error::reason::full;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      // EFBIG: the process may make no file longer than this one.
      if (system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG)
        return broker_error::reason::full;
      return broker_error::reason::unknown;
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
      return broker_error::reason::refused;
    default:
      return broker_error::reason::unknown;
  }
}

std::string file_of(sqlite3* db) {
  const char* name = db ? sqlite3_db_filename(db, "main") : nullptr;
  return name && *name ? name : ":memory:";
}

}  // namespace

database_error::database_error(const std::string& text, int code, int system_error)
    : broker_error(text, reason_of(code, system_error)), code_(code) {}

void throw_error(sqlite3* db, const std::string& doing) {
  const int last_error = errno;
  const int code = sqlite3_extended_errcode(db);
  std::string reason = sqlite3_errmsg(db);
  int system_error = sqlite3_system_errno(db);
  // SQLite keeps it of some calls only.
  if (system_error == 0) system_error = last_error;
  const std::string file = file_of(db);
  if ((code & 0xff) == SQLITE_IOERR && system_error != 0)
    reason += fmt::format(" ({})", std::strerror(system_error));
  const bool is_forbidden = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY;
  if (const auto why = is_forbidden ? what_forbids(file) : std::string(); !why.empty())
    reason += fmt::format(" ({})", why);
  throw database_error(fmt::format("{}: {}: {}", file, doing, reason), code, system_error);
}

void execute(sqlite3* db, const char* sql) {
  errno = 0;
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) throw_error(db, sql);
}

database::database(const std::string& file, int max_row) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(
      file.c_str(), &db,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  handle_.reset(db);
  if (code != SQLITE_OK) {
    const int system_error = db ? sqlite3_system_errno(db) : ENOMEM;
    std::string reason = (code & 0xff) == SQLITE_CANTOPEN ? what_forbids(file) : std::string();
    if (reason.empty()) reason = system_error != 0 ? std::strerror(system_error) : sqlite3_errstr(code);
    throw database_error(fmt::format("{}: cannot open: {}", file, reason), code, system_error);
  }
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, max_row);
  // Otherwise a statement that compares with a parameter what a partial index compares with a constant is compiled anew
  // each time it runs, in case that the index can be used this time.
  if (sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, nullptr) != SQLITE_OK)
    throw_error(db, "settings");
}

void statement::prepare() {
  if (handle_) {
    // An exception may have left the last run before its end.
    sqlite3_reset(handle_.get());
    return;
  }
  sqlite3_stmt* made = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql_.data(), static_cast<int>(sql_.size()),
                                      SQLITE_PREPARE_PERSISTENT, &made, nullptr);
  if (code != SQLITE_OK) throw_error(db_, std::string(sql_.substr(0, sql_.find('\n'))));
  handle_.reset(made);
}

void statement::check(int code) {
  if (code != SQLITE_OK) throw_error(db_, "bind");
}

bool statement::next() {
  errno = 0;
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    // The reason is in the connection until the next call, and reset() is one.
    const std::string doing(sql_.substr(0, sql_.find_first_of(" \n")));
    try {
      throw_error(db_, doing);
    } catch (...) {
      reset();
      throw;
    }
  }
  reset();
  return false;
}

int statement::run() {
  while (next()) {
  }
  return sqlite3_changes(db_);
}

void statement::reset() noexcept {
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());
}

std::string statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

void statement::bind(int index, const std::optional<std::int64_t>& value) {
  if (value) bind(index, *value);
  // A parameter that is not bound is NULL.
}

void statement::bind(int index, std::string_view text) {
  check(sqlite3_bind_text64(handle_.get(), index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void statement::bind(int index, const blob& value) {
  // A null pointer would be bound as NULL.
  const char* data = value.bytes.empty() ? "" : value.bytes.data();
  check(sqlite3_bind_blob64(handle_.get(), index, data, value.bytes.size(), SQLITE_STATIC));
}

}  // namespace quarq::broker::sqlite
