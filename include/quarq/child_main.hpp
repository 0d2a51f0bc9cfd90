// The first line of main(), where child processes can't do without it.
#pragma once

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

/// Returns if this process is no child of a quarq program. In a child it serves the parent's calls and ends
/// the process: it never returns.
///
///     int main(int argc, char** argv) {
///       quarq::child_main(argc, argv);
///       ...
///
/// Programs that are linked with quarq::processes on Linux with glibc don't need it: the library defines
/// __libc_start_main, which recognises a child before main() is called. Call it if the program must not have
/// that symbol (link with -Wl,-lc before quarq::processes then), is linked statically, or is not itself
/// linked with quarq (a shared library of it is). What main() does before this line happens in every child as
/// well.
///
/// Needs the library quarq::processes.
void child_main(int argc, char** argv);

}  // namespace quarq
