// One child process: its start, a handle to it, and how it ended. What decides when: supervisor.hpp.
#pragma once

#include <string>
#include <utility>

#include <signal.h>
#include <sys/types.h>

#include "base/unique_fd.hpp"

namespace quarq::processes {

/// How a process ended.
struct process_end {
  enum class how { exited, killed, unknown };
  how kind = how::unknown;
  /// The exit code or the signal. `unknown`: somebody else reaped it, or SIGCHLD is ignored.
  int number = 0;
};

/// "died of SIGSEGV", "exited with code 3".
std::string to_text(const process_end& end);
/// "SIGSEGV"; "signal 99" for one that has no name.
std::string signal_name(int signal);

/// A running child, or one that has ended. Thread-safe. The process does not end with this object.
class child_process {
 public:
  child_process(pid_t pid, base::unique_fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid() const noexcept { return pid_; }
  /// A pidfd: readable when the process has ended.
  int pidfd() const noexcept { return pidfd_.get(); }
  /// Does nothing if the process has ended, whatever runs under its number now. Returns false if the system
  /// does not permit it: this program has dropped the privileges that the process still has.
  bool kill(int signal = SIGKILL) const noexcept;
  /// REQUIRES: it has ended. Takes its end from the system, once.
  process_end reap() const noexcept;

 private:
  pid_t pid_;
  base::unique_fd pidfd_;
};

/// Starts this program anew as a child called `name`, with `socket` as its descriptor 3
/// (docs/process_frames.md). The child dies with the calling thread. Throws quarq::error.
child_process start_child(const std::string& name, const base::unique_fd& socket);

/// "posix_spawn: Cannot allocate memory".
std::string with_errno(const char* what, int number);

/// The two ends of a stream socket, which no other program inherits. Throws quarq::error.
std::pair<base::unique_fd, base::unique_fd> make_socket_pair();

}  // namespace quarq::processes
