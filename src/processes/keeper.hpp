// Starts all children of the program, and tells how each ended.
//
//     auto [ours, childs] = make_socket_pair();
//     spawn_options options;
//     options.name = "words";                                // shown by ps
//     options.socket = std::move(childs);                    // its descriptor 3
//     options.on_end = [](const process_end& end) { ... };   // on the keeper's thread: never blocks, never throws
//     std::shared_ptr<child> one = spawn(std::move(options));  // waits until it has started, a millisecond or two
//     one->kill();                                           // from any thread, at any time, as often as one likes
//
// spawn_async() is the same without waiting, for threads that run a loop. Nobody else may wait for these
// processes: the keeper reaps them at once. What a child does with its socket: docs/process_frames.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
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

/// A process that the keeper has started. Thread-safe. It does not end with this object.
class child {
 public:
  child(pid_t pid, base::unique_fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid() const noexcept { return pid_; }
  /// Nothing happens if it has ended, whatever runs under its number now.
  void kill(int signal = SIGKILL) const noexcept;

 private:
  friend class keeper;
  pid_t pid_;
  base::unique_fd pidfd_;
};

/// All functions are called on the keeper's thread: they must neither block nor throw; they may call
/// spawn_async.
struct spawn_options {
  std::string name;
  base::unique_fd socket;
  std::function<void(std::shared_ptr<child>)> on_start = nullptr;
  /// It could not be started: why. Then nothing else is called.
  std::function<void(std::string why)> on_failure = nullptr;
  /// It has ended and is reaped. Last of all, once.
  std::function<void(process_end)> on_end = nullptr;
};

/// From any thread. Throws quarq::error if this program can't have children (check_entry), or in a process
/// that was forked from it: there is no keeper there.
void spawn_async(spawn_options options);
/// Waits until it has started; throws quarq::error as well if it can't be. Not from the functions above.
std::shared_ptr<child> spawn(spawn_options options);
/// Calls `readable` once, on the keeper's thread, when there is something to read from this descriptor, or
/// its other end is closed. The descriptor must live until then.
void watch_once(int descriptor, std::function<void()> readable);
/// Returns when all that the keeper had to do before is done, and what its functions held is released. Not
/// from those functions.
void wait_for_keeper();
/// False in a process that was forked from one that has a keeper: what it holds are another's children.
bool keeper_is_ours() noexcept;

/// Two ends of a stream, neither inherited by anybody else. Throws quarq::error.
std::pair<base::unique_fd, base::unique_fd> make_socket_pair();

}  // namespace quarq::processes
