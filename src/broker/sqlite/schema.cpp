#include "broker/sqlite/schema.hpp"

#include <string>

#include <fmt/format.h>

#include "broker/sqlite/database.hpp"
#include "broker/sqlite/embedded.hpp"

namespace quarq::broker::sqlite {

namespace {

bool has_table(sqlite3* db, std::string_view name) {
  statement table(db, "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?");
  const bool there = table.with(name).next();
  table.reset();
  return there;
}

bool has_stats(sqlite3* db) {
  return has_table(db, "quarq_stats") && has_table(db, "quarq_enqueued");
}

}  // namespace

bool has_schema(sqlite3* db) {
  if (!has_table(db, "quarq_meta")) return false;
  statement format(db, "SELECT value FROM main.quarq_meta WHERE name = 'format'");
  const std::int64_t version = format.with().next() ? format.integer(0) : 0;
  format.reset();
  if (version == format_version) return true;
  const char* name = sqlite3_db_filename(db, "main");
  throw broker_error(
      fmt::format("{}: quarq's tables in it have format {}, and this library knows format {}: {}",
                  name && *name ? name : ":memory:", version, format_version,
                  version > format_version ? "use a newer quarq" : "use the older quarq, or another file"));
}

bool is_complete(sqlite3* db) {
  return has_schema(db) && has_stats(db) && has_table(db, "quarq_marks");
}

void make_schema(sqlite3* db) {
  if (!has_schema(db)) execute(db, std::string(schema_sql).c_str());
  if (!has_stats(db)) execute(db, std::string(schema_stats_sql).c_str());
  if (!has_table(db, "quarq_marks")) execute(db, std::string(schema_notes_sql).c_str());
}

}  // namespace quarq::broker::sqlite
