// Where a program begins: whether it is the program itself or one of its children.
#pragma once

#include <string_view>

#include <sys/types.h>

namespace quarq::processes {

/// A child is the same program started with these arguments: argv[1] is `child_mark`, argv[2] the parent's
/// pid, argv[3] a name for people who look at a list of processes. Its descriptor 3 is the socket to its
/// parent (docs/process_frames.md). The number changes whenever parent and child of different versions would
/// misunderstand each other.
inline constexpr std::string_view child_mark = "--quarq-child=1";
/// What every version's mark begins with.
inline constexpr std::string_view any_child_mark = "--quarq-child=";
inline constexpr int child_socket = 3;

/// What a child runs in place of main(), after all static initialisers. To be said by a static initialiser;
/// a program without any has no children.
void set_child_main(int (*child_main)(std::string_view name)) noexcept;

/// Throws quarq::error, saying what is wrong, unless this program can start itself as a child that does not
/// run its main().
void check_entry();

}  // namespace quarq::processes
