// Notices that a program, or files in folders, have changed: for a worker's --watch.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <quarq/awaitable.hpp>

struct inotify_event;

namespace quarq::workers {

class file_watch {
 public:
  using path = std::filesystem::path;

  /// Watches the file `program`, and all files in `folders` and in the folders within them. Left out are
  /// names that begin with a dot or end in ~, and paths that begin with `except` (if it is not empty).
  /// Throws usage_error for a folder that is none, quarq::error if it can't be watched.
  file_watch(const boost::asio::any_io_executor& loop, path program, const std::vector<std::string>& folders,
             const path& except);

  /// Waits for a change; and then until the changes have come to rest and the program can be started.
  /// Returns what changed first.
  awaitable<std::string> changed();

 private:
  struct watched {
    path folder;
    bool whole = false;  ///< all its files, or nothing but the program
  };

  void watch(const path& folder, bool whole);
  void watch_all_in(const path& folder);
  std::string read_changes();
  std::string change_of(const inotify_event& event);
  bool is_left_out(const path& file) const;
  bool can_be_started() const;

  boost::asio::posix::stream_descriptor events_;
  path program_, except_;
  std::map<int, watched> watched_;
};

}  // namespace quarq::workers
