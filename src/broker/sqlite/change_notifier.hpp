// How processes that share a database file wake each other without polling.
//
// A process that has committed something that others may wait for writes a byte into the file FILE-bell, which
// all of them watch by inotify. Commits of writers that do not use that file (a user's own transaction, another
// program, a user who may not write to it) are seen by watching the WAL file.
#pragma once

#include <string>

#include "base/unique_fd.hpp"

namespace quarq::broker::sqlite {

class change_notifier {
 public:
  /// `file` is the database, open in WAL mode. Throws broker_error if FILE-bell is a link or no plain file:
  /// writing to it could harm another file.
  explicit change_notifier(std::string file, bool may_watch = true);

  /// Notifies all processes, this one included. To be called after a commit.
  void notify() noexcept;

  /// Readable after a notification or a write, or when the database's file was changed from outside. -1: the system
  /// gives no notice (it has no inotify instance left, say), so the caller has to poll.
  int fd() const noexcept { return events_.get(); }

  struct pending {
    bool notified = false;  ///< there are commits to be seen
    bool written =
        false;  ///< somebody has begun to write after that: a commit will be seen soon, if it is one
    bool file_touched = false;  ///< the database's file may have been deleted or replaced
  };
  /// Reads pending notices, without waiting. Makes FILE-bell again if it was deleted.
  pending take_pending() noexcept;

 private:
  void open_bell();
  void mend_bell() noexcept;
  void watch_all() noexcept;

  std::string file_, bell_file_;
  base::unique_fd bell_, events_;
  int bell_watch_ = -1, file_watch_ = -1;
};

}  // namespace quarq::broker::sqlite
