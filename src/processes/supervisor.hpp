// The thread that starts all children of the program, and reports how each one ended.
//
//     auto [ours, theirs] = make_socket_pair();
//     spawn_options options;
//     options.name = "words";                                // shown by ps
//     options.socket = std::move(theirs);                    // its descriptor 3
//     options.on_end = [](const process_end& end) { ... };   // on the supervisor's thread
//     std::shared_ptr<child_process> one = spawn(std::move(options));
//     one->kill();                                           // from any thread, any number of times
//
// spawn() waits until the child has started, a millisecond or two; spawn_async() does not wait, for threads
// that run a loop. Nothing else in the program may wait for these processes: the supervisor reaps them at
// once. What a child does with its socket: docs/process_frames.md.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/unique_fd.hpp"
#include "processes/child_process.hpp"

namespace quarq::processes {

/// The functions are called on the supervisor's thread: they must neither block nor throw; they may call
/// spawn_async.
struct spawn_options {
  std::string name;
  base::unique_fd socket;
  std::function<void(std::shared_ptr<child_process>)> on_start = nullptr;
  /// The child could not be started, for this reason. No other function is called then.
  std::function<void(std::string why)> on_failure = nullptr;
  /// The child has ended and is reaped. Called once, last of all.
  std::function<void(process_end)> on_end = nullptr;
};

/// Thread safety: any thread. Throws quarq::error if this program can't have children (check_entry), and in a
/// process that was forked from one with a supervisor: the thread does not exist there.
void spawn_async(spawn_options options);
/// Waits until the child has started; throws quarq::error as well if it can't be started. Must not be called
/// from the functions above.
std::shared_ptr<child_process> spawn(spawn_options options);
/// Calls `readable` once, on the supervisor's thread, when this descriptor is readable or its other end is
/// closed. The descriptor must stay open until then.
void watch_once(int descriptor, std::function<void()> readable);
/// Returns when the supervisor has finished everything it had to do before this call, and has released what
/// its functions held. Must not be called from those functions.
void drain_supervisor();
/// False in a process that was forked from one with a supervisor: the children are its parent's.
bool owns_children() noexcept;

}  // namespace quarq::processes
