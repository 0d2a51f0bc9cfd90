// How processes that share a database file wake each other without polling.
//
// Whoever has committed something that others may wait for writes a byte into the file FILE-bell, which all
// watch by inotify. Writers that know nothing of bells (a user's own transaction, another program) show in
// the WAL file.
#pragma once

#include <string>

#include "base/unique_fd.hpp"

namespace quarq::broker::sqlite {

class bell {
 public:
  /// `file` is the database, open in WAL mode. Throws broker_error that names the file that can't be watched.
  explicit bell(const std::string& file);

  /// To be called after a commit. Rings for this process too.
  void ring() noexcept;

  /// Readable when somebody rang or wrote.
  int fd() const noexcept { return events_.get(); }

  struct heard {
    bool rung = false;  ///< there are commits to be seen
    bool written =
        false;  ///< somebody has begun to write after that: a commit will be seen soon, if it is one
  };
  /// Takes what has come, without waiting.
  heard listen() noexcept;

 private:
  base::unique_fd bell_, events_;
  int bell_watch_ = -1;
};

}  // namespace quarq::broker::sqlite
