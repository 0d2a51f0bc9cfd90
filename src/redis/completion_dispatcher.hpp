// The notifications that users of a connection have not received yet.
#pragma once

#include <utility>
#include <vector>

#include "redis/actions.hpp"

namespace quarq::redis {

/// Collects notifications, so that all of one turn of the loop are delivered in the next one, in order. The
/// owner posts run() to the loop whenever must_post() returns true.
class completion_dispatcher {
 public:
  /// Moves them away; `from` may keep the memory of earlier ones.
  void add(std::vector<notification>& from) {
    if (queue_.empty()) {
      queue_.swap(from);
    } else {
      for (auto& one : from) queue_.push_back(std::move(one));
      from.clear();
    }
  }
  [[nodiscard]] bool must_post() { return !queue_.empty() && !std::exchange(is_posted_, true); }

  /// Calls `deliver` with each notification. What that throws, out of a user's handler, goes through; the
  /// notifications after it stay.
  template <class Deliver>
  void run(Deliver deliver) {
    is_posted_ = false;
    auto batch = std::exchange(queue_, std::move(spare_));
    queue_.clear();
    std::size_t done = 0;
    try {
      while (done < batch.size()) deliver(batch[done++]);
    } catch (...) {
      batch.erase(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(done));
      for (auto& later : queue_) batch.push_back(std::move(later));
      queue_ = std::move(batch);
      throw;
    }
    batch.clear();
    spare_ = std::move(batch);
  }

  std::vector<notification> take_all() { return std::exchange(queue_, {}); }

 private:
  std::vector<notification> queue_, spare_;  // spare_ keeps its memory from one run to the next
  bool is_posted_ = false;
};

}  // namespace quarq::redis
