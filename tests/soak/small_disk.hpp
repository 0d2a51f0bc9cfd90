// A file system of a soak's own, which can be full.
#pragma once

#include <memory>
#include <string>

namespace quarq::soak {

/// Seen by this thread, and by the threads and processes that it starts, and by nobody else.
class small_disk {
 public:
  /// Mounts one on `folder`. Throws std::system_error where that is not allowed.
  explicit small_disk(std::string folder);
  ~small_disk();
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  /// Leaves about `bytes` of room. False: it was not possible.
  bool fill(std::size_t bytes);
  void make_room();

 private:
  bool resize(std::size_t bytes) const;

  std::string folder_;
};

}  // namespace quarq::soak
