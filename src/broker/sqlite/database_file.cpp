#include "broker/sqlite/database_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/sqlite/database.hpp"

namespace quarq::broker::sqlite {

namespace {

/// As many links in a row as Linux follows.
constexpr int max_links = 40;

}  // namespace

std::string resolved(const std::string& file) {
  namespace fs = std::filesystem;
  std::error_code failed;
  fs::path path(file);
  for (int links = 0; links < max_links && fs::is_symlink(fs::symlink_status(path, failed)); ++links) {
    const auto target = fs::read_symlink(path, failed);
    if (failed) break;
    path = path.parent_path() / target;  // an absolute target replaces it all
  }
  const auto canonical = fs::weakly_canonical(path, failed);
  return failed || canonical.empty() ? file : canonical.string();
}

void create_if_missing(const std::string& file) noexcept {
  // Without a descriptor: closing one of a database would drop the locks that this process has on it.
  constexpr mode_t all_may_read_and_write = 0666;
  static_cast<void>(mknod(file.c_str(), S_IFREG | all_may_read_and_write, 0));
}

void check_writable(const std::string& file) {
  if (faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) == 0 || (errno != EACCES && errno != EROFS)) return;
  throw broker_error(
      fmt::format("{}: cannot write to it: {} (users who share a file are of a group that may write to it "
                  "and to its folder)",
                  file, std::strerror(errno)));
}

std::string what_forbids(const std::string& file) {
  namespace fs = std::filesystem;
  const auto allowed = [](const std::string& path, int what) {
    return faccessat(AT_FDCWD, path.c_str(), what, AT_EACCESS) == 0;
  };
  std::string folder = fs::path(file).parent_path().string();
  if (folder.empty()) folder = ".";
  std::error_code ignored;
  if (!fs::exists(folder, ignored) && !ignored) return "there is no folder " + folder;
  if (fs::is_directory(file, ignored)) return std::strerror(EISDIR);
  if (!allowed(file, R_OK | W_OK) && errno != ENOENT) return std::strerror(errno);
  if (!allowed(folder, W_OK | X_OK)) return fmt::format("its folder {}: {}", folder, std::strerror(errno));
  return {};
}

void use_wal(sqlite3* db) {
  statement change(db, "PRAGMA journal_mode = WAL");
  const std::string mode = change.with().next() ? change.bytes(0) : "unknown";
  change.reset();
  if (mode == "wal" || mode == "memory") return;
  const char* file = sqlite3_db_filename(db, "main");
  throw broker_error(fmt::format(
      "{}: SQLite cannot use its WAL mode there, which needs shared memory (the journal mode stays "
      "\"{}\"): is it on a network file system?",
      file ? file : "?", mode));
}

bool was_moved(sqlite3* db) noexcept {
  int moved = 0;
  return sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

}  // namespace quarq::broker::sqlite
