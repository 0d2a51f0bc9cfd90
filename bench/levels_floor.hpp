// Level 2's floors: two processes, with only system calls between them.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace quarq::bench {

/// Keeps the calling thread to one processor, counted from 0.
void stay_on(int processor);

/// Where two processes run: a message takes longer if a processor must be woken for it, and the system places
/// processes differently in each run.
struct placement {
  const char* name;
  int here, there;
};
/// On one processor and, if there are more, on two.
std::vector<placement> placements();

/// Runs `work` on a thread that stays where `at.here` says.
void run_at(const placement& at, const std::function<void()>& work);

/// Seconds of each of `count` round trips through two pipes, `size` bytes each way.
std::vector<double> pipe_round_trips(const placement& at, std::size_t count, std::size_t size);

/// Bytes per second through a pipe, `size` bytes a message, each answered with one byte. The median.
double pipe_bytes_per_second(std::size_t count, std::size_t size);

/// Items of 8 bytes per second through a pipe: a write and a read for each.
double pipe_items_per_second(std::size_t count);

/// Bytes per second of one copy in memory. The median.
double copy_bytes_per_second(std::size_t count, std::size_t size);

}  // namespace quarq::bench
