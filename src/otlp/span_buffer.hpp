// The spans that wait to be exported, in batches.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include <quarq/trace.hpp>

#include "otlp/stored_spans.hpp"

namespace quarq::otlp {

/// Decides without a clock, a thread or a socket. A span is stored in the batch in which it will be sent, so
/// that nothing of it is moved again. Thread safety: none.
class span_buffer {
 public:
  span_buffer(std::size_t max_waiting, std::size_t max_batch) : max_(max_waiting), max_batch_(max_batch) {}

  enum class added {
    dropped,  ///< so many wait already
    first,    ///< it waits alone: from now on counts how long it does
    waits,
    completes_batch,  ///< with it, a batch may be sent at once
  };
  added add(const finished_span& one) {
    if (size_ >= max_) return added::dropped;
    if (batches_.empty() || batches_.back().size() == max_batch_)
      batches_.push_back(std::exchange(spare_, {}));
    batches_.back().add(one);
    ++size_;
    if (size_ == max_batch_) return added::completes_batch;
    return size_ == 1 ? added::first : added::waits;
  }

  /// The oldest, as many as a batch has.
  stored_spans take() {
    if (batches_.empty()) return {};
    auto taken = std::move(batches_.front());
    batches_.pop_front();
    size_ -= taken.size();
    return taken;
  }
  /// For its memory. REQUIRES: it is cleared.
  void give_back(stored_spans& taken) noexcept { std::swap(spare_, taken); }

  bool has_batch() const noexcept { return size_ >= max_batch_; }
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

 private:
  const std::size_t max_, max_batch_;
  std::deque<stored_spans> batches_;  // all but the last are full
  stored_spans spare_;
  std::size_t size_ = 0;
};

}  // namespace quarq::otlp
