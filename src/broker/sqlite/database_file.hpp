// The file of a database among others: links to it, its permissions, its disappearance.
#pragma once

#include <string>

struct sqlite3;

namespace quarq::broker::sqlite {

/// The file that the name means: links are followed, even one to a file that is not there yet.
std::string resolved(const std::string& file);

/// Makes the file if it is missing, with the permissions that the process's umask leaves, so that a group may
/// share it (SQLite would make it 0644). What keeps it from being made, SQLite meets too, and says.
void create_if_missing(const std::string& file) noexcept;

/// Puts the database into WAL mode. Throws broker_error where SQLite can't use that.
void use_wal(sqlite3* db);

/// Whether the name of the open database now means another file, or none.
bool was_moved(sqlite3* db) noexcept;

}  // namespace quarq::broker::sqlite
