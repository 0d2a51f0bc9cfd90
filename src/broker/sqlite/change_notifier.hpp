// How processes that share a database file wake each other without polling.
//
// Whoever has committed something that others may wait for writes a byte into the file FILE-bell, which all
// watch by inotify. Writers that know nothing of bells (a user's own transaction, another program) show in
// the WAL file.
#pragma once

#include <string>

#include "base/unique_fd.hpp"

namespace quarq::broker::sqlite {

class change_notifier {
 public:
  /// `file` is the database, open in WAL mode. Throws broker_error that names the file that can't be watched.
  explicit change_notifier(const std::string& file);

  /// To be called after a commit. Rings for this process too.
  void notify() noexcept;

  /// Readable when somebody rang or wrote.
  int fd() const noexcept { return events_.get(); }

  struct pending {
    bool notified = false;  ///< there are commits to be seen
    bool written =
        false;  ///< somebody has begun to write after that: a commit will be seen soon, if it is one
  };
  /// Takes what has come, without waiting.
  pending take_pending() noexcept;

 private:
  base::unique_fd notifier_, events_;
  int notify_watch_ = -1;
};

}  // namespace quarq::broker::sqlite
