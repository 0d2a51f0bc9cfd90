// Level 2's floors: two processes, and nothing but the system's calls between them.
#pragma once

#include <cstddef>
#include <vector>

namespace quarq::bench {

/// Seconds of each of `count` times there and back through two pipes, `size` bytes each way.
std::vector<double> pipe_round_trips(std::size_t count, std::size_t size);

/// Bytes per second through a pipe, `size` bytes a message, each answered with one byte. The median.
double pipe_bytes_per_second(std::size_t count, std::size_t size);

/// Items of 8 bytes per second through a pipe: a write and a read for each.
double pipe_items_per_second(std::size_t count);

/// Bytes per second of one copy in memory. The median.
double copy_bytes_per_second(std::size_t count, std::size_t size);

}  // namespace quarq::bench
