// A limit to the memory that one call may allocate.
#pragma once

#include <cstdint>

#include <sys/resource.h>

namespace quarq::processes {

/// False under the address and thread sanitizers, which allocate without bound.
bool memory_limits_work() noexcept;

/// While it lives, this process may allocate `max` bytes of data (heap, stacks of threads) more than it had
/// when the object was made; beyond that, allocations throw std::bad_alloc. 0: no limit. Free memory that the
/// allocator keeps is returned to the system first, so that earlier calls don't widen the limit.
class memory_limit {
 public:
  explicit memory_limit(std::uint64_t max) noexcept;
  ~memory_limit() { lift(); }
  memory_limit(const memory_limit&) = delete;
  memory_limit& operator=(const memory_limit&) = delete;

  void lift() noexcept;
  bool is_set() const noexcept { return max_ > 0; }
  std::uint64_t max() const noexcept { return max_; }

 private:
  std::uint64_t max_ = 0;
  bool active_ = false;
  rlimit before_{};
};

/// Resident bytes that this process shares with no other. 0 if that is unknown.
std::uint64_t resident_memory() noexcept;

}  // namespace quarq::processes
