// Where a program begins: whether it is the program itself or one of its children.
#pragma once

#include <string_view>

namespace quarq::processes {

/// A child is the same program started with these arguments: argv[1] is `child_mark`, argv[2] the parent's
/// pid, argv[3] a name for lists of processes. Its descriptor 3 is the socket to its parent
/// (docs/process_frames.md). The number changes whenever parent and child of different versions would
/// misunderstand each other.
inline constexpr std::string_view child_mark = "--quarq-child=1";
/// What the mark of every version begins with.
inline constexpr std::string_view any_child_mark = "--quarq-child=";
inline constexpr int child_socket = 3;

/// Says on stderr that this process can't be a child, and why; exits with 64.
[[noreturn]] void refuse_to_be_child(const char* why) noexcept;

/// If these are the arguments of a child, prepares the process to be one and returns true: it dies with its
/// parent from now on. Calls refuse_to_be_child if it can't be one. May run before any constructor. From this
/// call on check_entry() knows that the children of this program don't run its main().
bool enter_child(int argc, char** argv) noexcept;

/// REQUIRES: enter_child() has returned true, and static initialisers have run. Serves the parent's calls.
[[noreturn]] void serve_as_child(char** argv);

/// Throws quarq::error, saying what is wrong, unless this program can start itself as a child that does not
/// run its main().
void check_entry();

}  // namespace quarq::processes
