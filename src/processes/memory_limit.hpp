// A limit to the memory that one call may take.
#pragma once

#include <cstdint>

#include <sys/resource.h>

namespace quarq::processes {

/// False under the address and thread sanitizers: they need memory as they please.
bool memory_limits_work() noexcept;

/// While it lives, this process may have `max` bytes of data (heap, stacks of threads) more than at its
/// beginning; beyond that, allocating throws std::bad_alloc. 0: no limit. What allocators keep free is given
/// back first, so that what earlier calls used does not count as room.
class memory_limit {
 public:
  explicit memory_limit(std::uint64_t max) noexcept;
  ~memory_limit() { lift(); }
  memory_limit(const memory_limit&) = delete;
  memory_limit& operator=(const memory_limit&) = delete;

  void lift() noexcept;
  bool is_set() const noexcept { return most_ > 0; }
  std::uint64_t max() const noexcept { return most_; }

 private:
  std::uint64_t most_ = 0;
  bool active_ = false;
  rlimit before_{};
};

/// Bytes of this process that no other shares and that are in memory now. 0 if that can't be found out.
std::uint64_t resident_memory() noexcept;

}  // namespace quarq::processes
