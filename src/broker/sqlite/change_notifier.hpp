// How processes that share a database file wake each other without polling.
//
// Whoever has committed something that others may wait for writes a byte into the file FILE-bell, which all
// watch by inotify. Writers that know nothing of bells (a user's own transaction, another program, a user who
// may not write to it) show in the WAL file.
#pragma once

#include <string>

#include "base/unique_fd.hpp"

namespace quarq::broker::sqlite {

class change_notifier {
 public:
  /// `file` is the database, open in WAL mode. Throws broker_error if FILE-bell is a link or no plain file:
  /// writing to it could harm another file.
  explicit change_notifier(std::string file, bool may_watch = true);

  /// To be called after a commit. Rings for this process too.
  void notify() noexcept;

  /// Readable when somebody rang or wrote, or the database's file was changed from outside. -1: the system
  /// gives no notice (it has no inotify instance left, say), so whoever waits must look by himself.
  int fd() const noexcept { return events_.get(); }

  struct pending {
    bool notified = false;  ///< there are commits to be seen
    bool written =
        false;  ///< somebody has begun to write after that: a commit will be seen soon, if it is one
    bool file_touched = false;  ///< the database's file may have been deleted or replaced
  };
  /// Takes what has come, without waiting. Makes the bell anew if it was deleted.
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
