// Files in memory, which processes share by their descriptors.
#pragma once

#include <cstdint>

namespace quarq::processes {

/// Makes the file that long; returns 0 or an errno. A limit to the size of files (RLIMIT_FSIZE, ulimit -f)
/// counts for memory as well: it gives EFBIG, and never the signal SIGXFSZ, which would end the program.
int resize(int descriptor, std::uint64_t size) noexcept;

}  // namespace quarq::processes
