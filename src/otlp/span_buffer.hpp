// The spans that wait to be exported.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <utility>
#include <vector>

#include <quarq/trace.hpp>

namespace quarq::otlp {

/// Decides without a clock, a thread or a socket. Thread safety: none.
class span_buffer {
 public:
  span_buffer(std::size_t max_waiting, std::size_t max_batch) : max_(max_waiting), batch_(max_batch) {}

  enum class added {
    dropped,  ///< so many wait already
    first,    ///< it waits alone: from now on counts how long it does
    waits,
    completes_batch,  ///< with it, a batch may be sent at once
  };
  added add(finished_span&& one) {
    if (waiting_.size() >= max_) return added::dropped;
    waiting_.push_back(std::move(one));
    if (waiting_.size() == batch_) return added::completes_batch;
    return waiting_.size() == 1 ? added::first : added::waits;
  }

  /// The oldest, as many as a batch has.
  std::vector<finished_span> take() {
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), batch_));
    std::vector<finished_span> taken(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    return taken;
  }

  bool has_batch() const noexcept { return waiting_.size() >= batch_; }
  bool empty() const noexcept { return waiting_.empty(); }
  std::size_t size() const noexcept { return waiting_.size(); }

 private:
  const std::size_t max_, batch_;
  std::deque<finished_span> waiting_;
};

}  // namespace quarq::otlp
