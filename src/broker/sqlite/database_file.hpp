// The file of a database among others: links to it, its permissions, its disappearance.
#pragma once

#include <string>

struct sqlite3;

namespace quarq::broker::sqlite {

/// The file that the name means: links are followed, even one to a file that is not there yet.
std::string resolved(const std::string& file);

/// Makes the file if it is missing, with the permissions that the process's umask leaves, so that a group may
/// share it (SQLite would make it 0644). SQLite meets the same obstacles, and reports them.
void create_if_missing(const std::string& file) noexcept;

/// Throws broker_error for a file that this user may not write. SQLite would open it all the same, and leave a
/// -wal and a -shm of this user's beside it, which its owner then may not write.
void check_writable(const std::string& file);

/// Why this process cannot read and write the file, or make it and others beside it:
/// "Permission denied", "Read-only file system", "there is no folder /srv/jobs". Empty if no reason is known.
/// SQLite itself tries again read-only, and then knows only why that failed.
std::string what_forbids(const std::string& file);

/// Puts the database into WAL mode. Throws broker_error where SQLite can't use that.
void use_wal(sqlite3* db);

/// Whether the name of the open database now means another file, or none.
bool was_moved(sqlite3* db) noexcept;

}  // namespace quarq::broker::sqlite
