// quarq's tables in a database file (docs/sqlite_schema.md).
#pragma once

#include <sqlite3.h>

namespace quarq::broker::sqlite {

/// The format that this library reads and writes.
inline constexpr int format_version = 4;

/// Whether the tables are there. Throws broker_error for those of another format.
bool has_schema(sqlite3* db);

/// And those that were added to the format later.
bool is_complete(sqlite3* db);

/// Makes the tables where they are missing. To be called inside a transaction that may write.
void make_schema(sqlite3* db);

}  // namespace quarq::broker::sqlite
